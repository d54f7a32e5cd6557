"""What a visitor brings along from page to page while choosing: the article they come from, their time zone.

Both ride in the query string, where neither says anything about a person: an article's code is opaque.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest

from booking.wording import known_zone
from education.articles import published
from education.models import Article

# Offered in the picker; any other IANA name works in the address too.
COMMON_ZONES = {
    "America/New_York": "Eastern time",
    "America/Chicago": "Central time",
    "America/Denver": "Mountain time",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific time",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Puerto Rico",
    "America/Halifax": "Atlantic time",
    "Europe/London": "London",
    "Europe/Berlin": "Central Europe",
    "Asia/Kolkata": "India",
    "Asia/Tokyo": "Japan",
    "Australia/Sydney": "Sydney",
}


@dataclass(frozen=True)
class Trail:
    """`article` and `zone_name` are what the query string named, if there is such an article and such a zone."""

    article: Article | None
    zone_name: str

    @property
    def query(self) -> str:
        """To put after a path, with its question mark; empty if there is nothing to carry."""
        pairs = {"via": self.article.code if self.article else "", "tz": self.zone_name}
        carried = {name: value for name, value in pairs.items() if value}
        return f"?{urlencode(carried)}" if carried else ""

    @property
    def more(self) -> str:
        """The same after another parameter."""
        return self.query.replace("?", "&", 1)

    def zones(self, *, clinic_zone_name: str) -> list[tuple[str, str]]:
        """The picker's choices as (IANA name, words); the clinic's and the visitor's own are always among them."""
        own = {name: name.replace("_", " ") for name in (clinic_zone_name, self.zone_name) if name}
        return list({**own, **COMMON_ZONES}.items())


def read_trail(request: HttpRequest, *, now: datetime) -> Trail:
    """What this request carries. Whatever is unknown or garbled is left behind; it never fails. At most one query."""
    code, zone_name = request.GET.get("via", ""), request.GET.get("tz", "")
    is_plausible = len(code) <= 6 and code.isalnum()
    article = published(now=now).filter(code=code).first() if is_plausible else None
    return Trail(article, zone_name if known_zone(zone_name) else "")
