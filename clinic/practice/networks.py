"""Where a visitor comes from: enough to count by, and nothing that leads back to anybody."""

import hashlib
import hmac
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

IPV6_HOUSEHOLD = 64  # bits: one customer has as many IPv6 addresses as they like below this


def network_mark(request: HttpRequest, *, now: datetime) -> str:
    """32 hexadecimal digits that are the same for one network on one day (UTC), made with the site's secret key.

    The address itself is stored nowhere, and tomorrow's mark is another one. Empty where no address is known.
    """
    address = _visitor_address(request)
    if address is None:
        return ""
    if isinstance(address, IPv6Address):
        address = ip_network((address, IPV6_HOUSEHOLD), strict=False)
    words = f"network:{now.astimezone(UTC).date()}:{address}"
    return hmac.new(settings.SECRET_KEY.encode(), words.encode(), hashlib.sha256).hexdigest()[:32]


def _visitor_address(request: HttpRequest):
    """Of a forwarded chain only the last link is our own proxy's word; the others are the visitor's."""
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.headers.get("X-Forwarded-For", text).rpartition(",")[2].strip()
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
