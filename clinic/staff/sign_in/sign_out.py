"""What a browser forgets at sign-out."""

from django.http import HttpResponse

from clinic.staff.sign_in.session_limits import COOKIE


def clear_site_data(response: HttpResponse) -> HttpResponse:
    """Have the browser delete cached pages, stored data and the session's cookies. Returns `response`.

    Other cookies are kept: without the one of a known browser, each sign-in would be announced as a new device.
    """
    response["Clear-Site-Data"] = '"cache", "storage"'
    response.delete_cookie(COOKIE)
    return response
