"""The network of a request, for rate limits. No IP address is stored: `rate_limits` keeps keyed hashes only."""

import logging
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger(__name__)

# (prefix length, multiple of one visitor's budget). A customer gets an IPv6 /64 or /56, a site a /48, each with any
# number of addresses; an IPv4 /24 is about a small provider or a rented rack.
IPV4_BLOCKS = ((32, 1), (24, 8))
IPV6_BLOCKS = ((64, 1), (56, 2), (48, 8))


@dataclass(frozen=True)
class Network:
    """The address blocks whose budgets a visitor uses, narrowest first: (name, multiple of one visitor's budget)."""

    blocks: tuple[tuple[str, int], ...]


UNKNOWN = Network((("unknown", 1),))  # shared by all visitors of unknown address, with the usual limits: fail closed


def network_of(request: HttpRequest) -> Network:
    """Return the network of the visitor; `UNKNOWN` if the address is missing or malformed.

    Behind a proxy, uses only the last hop of X-Forwarded-For, which the proxy wrote; the visitor can forge the other
    hops. Without that header, uses the address of the connection.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.headers.get("X-Forwarded-For", text).rpartition(",")[2]
    address = parse_address(text)
    if address is None:
        warn_of_unknown_networks()
        return UNKNOWN
    blocks = IPV4_BLOCKS if isinstance(address, IPv4Address) else IPV6_BLOCKS
    return Network(tuple((str(ip_network((address, length), strict=False)), times) for length, times in blocks))


@cache
def warn_of_unknown_networks() -> None:
    """Log, once per process, that all visitors share one budget."""
    logger.warning("visitors' addresses cannot be read, so all share one rate limit; see BEHIND_PROXY and the proxy")


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
