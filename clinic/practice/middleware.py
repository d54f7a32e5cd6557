"""One place turns a patient's link that no longer opens into a page that says what to do next."""

from django.shortcuts import render

from .links import LinkExpired, LinkUnknown


class BrokenLinkPages:
    """`LinkUnknown` becomes 404 and `LinkExpired` 410, for every view that simply calls `open_link`."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, LinkUnknown):
            return render(request, "practice/link_unknown.html", status=404)
        if isinstance(exception, LinkExpired):
            return render(request, "practice/link_expired.html", status=410)
        return None
