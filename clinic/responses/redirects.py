"""Redirects."""

from django.http import HttpResponseRedirect


def see_other(url: str) -> HttpResponseRedirect:
    """303: the form was handled, the browser fetches `url` with GET."""
    return HttpResponseRedirect(url, status=303)
