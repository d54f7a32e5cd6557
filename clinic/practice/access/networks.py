"""The network of a request, for rate limits. No IP address is stored: `rate_limits` keeps keyed hashes only."""

import logging
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, ip_network

from django.http import HttpRequest

from clinic.responses.remote_address import remote_address

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
    """Return the network of the visitor; `UNKNOWN` if the address is missing or malformed."""
    address = remote_address(request)
    if address is None:
        warn_of_unknown_networks()
        return UNKNOWN
    blocks = IPV4_BLOCKS if isinstance(address, IPv4Address) else IPV6_BLOCKS
    return Network(tuple((str(ip_network((address, length), strict=False)), times) for length, times in blocks))


@cache
def warn_of_unknown_networks() -> None:
    """Log, once per process, that all visitors share one budget."""
    logger.warning("visitors' addresses cannot be read, so all share one rate limit; see BEHIND_PROXY and the proxy")
