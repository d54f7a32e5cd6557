"""Parts of the day by which visitors filter times. Pure."""

from dataclasses import dataclass
from datetime import datetime, time


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """A range of local start times, from `first` to `last` inclusive."""

    slug: str
    label: str
    first: time
    last: time

    def contains(self, local: datetime) -> bool:
        return self.first <= local.time() <= self.last


PARTS = {
    part.slug: part
    for part in (
        PartOfDay("before-work", "before work", time(0), time(8, 59)),
        PartOfDay("lunch", "around lunch", time(11, 30), time(13, 30)),
        PartOfDay("after-work", "after work", time(16, 30), time(23, 59)),
    )
}
