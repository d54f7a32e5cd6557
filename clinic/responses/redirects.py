"""Redirects."""

from django.http import HttpResponseRedirect


def see_other(url: str) -> HttpResponseRedirect:
    """Return a 303 redirect, for use after a form was handled: the browser fetches `url` with GET."""
    return HttpResponseRedirect(url, status=303)
