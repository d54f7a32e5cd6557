"""The address that a request came from, and the wide block of addresses that it is recorded as."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# About a small provider (IPv4) or one site (IPv6): tells the clinic from elsewhere, and identifies no single device.
RECORDED_PREFIXES = {4: 24, 6: 48}


def remote_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """Return the address of the visitor, or None if it is missing or malformed.

    Behind a proxy, uses only the last hop of X-Forwarded-For, which the proxy wrote; the visitor can forge the other
    hops. Without that header, uses the address of the connection.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.headers.get("X-Forwarded-For", text).rpartition(",")[2]
    return parse_address(text)


def recorded_block(request: HttpRequest) -> str:
    """Return the block of the visitor's address, such as "192.0.2.0/24", or "" if the address is unknown."""
    address = remote_address(request)
    return "" if address is None else str(ip_network((address, RECORDED_PREFIXES[address.version]), strict=False))


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `text`, without its port, brackets, zone or quotes; None for anything else.

    An IPv4-mapped IPv6 address is returned as IPv4.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
