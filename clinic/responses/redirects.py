"""Redirects."""

from django.http import HttpResponseRedirect


def see_other(url: str) -> HttpResponseRedirect:
    """Redirect with 303 after a form was handled: the browser fetches `url` with GET."""
    return HttpResponseRedirect(url, status=303)
