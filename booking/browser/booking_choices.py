"""A visitor's choices, kept in the query string of every page: source article, time zone, part of the day, therapist.

None of them identifies the visitor. The article's code is opaque.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from booking.time.day_parts import PARTS, PartOfDay
from clinic.practice.values.zones import city_label, clock_label, visitors_zone_name, zones_by_region
from education.articles.library import published
from education.models import Article

# IANA name → label. The picker lists these zones after the clinic's and the visitor's own, and before all others.
COMMON_ZONES = {
    "America/New_York": "Eastern time",
    "America/Chicago": "Central time",
    "America/Denver": "Mountain time",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific time",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Puerto Rico, Virgin Islands",
    "Pacific/Guam": "Guam, Northern Mariana Islands",
    "Pacific/Pago_Pago": "American Samoa",
}
UNITED_STATES, ELSEWHERE = "United States", "Other"


@dataclass(frozen=True)
class BookingChoices:
    """The valid choices of a query string. For `therapist_slug`, only the format is checked."""

    article: Article | None
    zone_name: str
    part: PartOfDay | None = None
    therapist_slug: str = ""

    @property
    def query(self) -> str:
        """The query string with its question mark. Empty without choices."""
        return f"?{urlencode(self.pairs)}" if self.pairs else ""

    @property
    def pairs(self) -> dict[str, str]:
        """The choices by parameter name, without empty ones."""
        pairs = {
            "via": self.article.code if self.article else "",
            "tz": self.zone_name,
            "when": self.part.slug if self.part else "",
            "with": self.therapist_slug,
        }
        return {name: value for name, value in pairs.items() if value}

    @property
    def pairs_without_zone(self) -> dict[str, str]:
        """The hidden fields of the zone picker's form."""
        return {name: value for name, value in self.pairs.items() if name != "tz"}

    def changed(self, **changes: Any) -> "BookingChoices":
        """Return a copy with `changes`, such as another part of the day."""
        return replace(self, **changes)

    @property
    def more(self) -> str:
        """The choices to append to another query string, starting with an ampersand."""
        return self.query.replace("?", "&", 1)

    def zones(self, *, clinic_zone_name: str) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the options of the zone picker as (group, [(IANA name, label)]).

        The clinic's zone and the visitor's own are in the first group.
        """
        own = {name: clock_label(name) for name in (clinic_zone_name, self.zone_name) if name}
        common = {name: label for name, label in COMMON_ZONES.items() if name not in own}
        listed = {*own, *common}
        regions = {
            region: [(name, city_label(name)) for name in names if name not in listed]
            for region, names in zones_by_region().items()
        }
        others = regions.pop(UNITED_STATES)
        groups = [
            ("Yours and the clinic’s" if len(own) > 1 else "The clinic’s", list(own.items())),
            (UNITED_STATES, list(common.items())),
            ("United States: cities with their own clock", others),
            *regions.items(),
            (ELSEWHERE, [("UTC", "UTC")] if "UTC" not in own else []),
        ]
        return [(group, names) for group, names in groups if names]


def read_choices(request: HttpRequest, *, now: datetime) -> BookingChoices:
    """Read the choices of a request. At most one query.

    Unknown or malformed values are ignored, except an unknown `therapist_slug`, which `choices_context` rejects.
    """
    code, zone_name = request.GET.get("via", ""), request.GET.get("tz", "")
    is_plausible = len(code) <= 6 and code.isalnum()
    article = published(now=now).filter(code=code).first() if is_plausible else None
    therapist_slug = request.GET.get("with", "")
    return BookingChoices(
        article,
        visitors_zone_name(zone_name),
        PARTS.get(request.GET.get("when", "")),
        therapist_slug if re.fullmatch("[a-z0-9-]{1,60}", therapist_slug) else "",
    )
