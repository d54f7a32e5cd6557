"""A page for a visitor who opens a URL that accepts only POST, such as in a reopened tab."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from clinic.staff.admin_errors import is_for_staff, refuse_opening


class FormAddresses:
    """Replace a 405 response to GET, which has no body in Django, by a page.

    Must follow AuthenticationMiddleware, so that staff get a page of the admin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method != "GET" or response.status_code != 405 or not isinstance(response, HttpResponse):
            return response
        page = refuse_opening(request) if is_for_staff(request) else render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page
