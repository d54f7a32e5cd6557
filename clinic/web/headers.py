"""The response headers that Django has no setting for."""

from django.http import HttpRequest, HttpResponse

from clinic.responses.middleware import GetResponse

POLICY = ", ".join(
    f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)


class PermissionsPolicyMiddleware:
    """Tells the browser that no page of ours asks for cameras, places or payments, nor may anything in it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response
