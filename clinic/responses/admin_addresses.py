"""Addresses in the admin to which a page returns after an act."""

from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme


def local_back(sent: str) -> str:
    """Return `sent` if it is the address of a page of the admin on this site, else an empty string."""
    path = sent.partition("#")[0].partition("?")[0]
    if not path.startswith(reverse("admin:index")) or any(part in path for part in ("..", "//", "\\", "%")):
        return ""
    if not url_has_allowed_host_and_scheme(sent, allowed_hosts=None) or not sent.isprintable():
        return ""
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    return sent if match.url_name and "admin" in match.app_names else ""
