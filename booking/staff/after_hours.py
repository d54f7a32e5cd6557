"""Which instants are outside the clinic's opening hours, for the audit log."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from booking.models import HoursOverride, OpeningHours
from booking.time.intervals import Interval
from clinic.practice.models import Clinic

AROUND = timedelta(hours=1)  # staff prepare before the first visit and write after the last one
DAY = timedelta(days=1)


def find_after_hours(instants: Sequence[datetime]) -> set[datetime]:
    """Return those of `instants` more than AROUND outside the hours of all therapists, in the clinic's zone.

    Extra hours count as open. Blocked time does not count as closed, since a clinic may be open while a therapist is
    away. Returns none if there are no opening hours yet. Three queries, or none without instants.
    """
    if not instants:
        return set()
    weekly = [hours.weekly for hours in OpeningHours.objects.all()]
    if not weekly:
        return set()
    zone = Clinic.objects.current().zone
    extra = HoursOverride.objects.filter(kind=HoursOverride.Kind.EXTRA).touching(
        Interval(min(instants) - AROUND, max(instants) + AROUND)
    )
    always = [Interval(one.starts_at, one.ends_at) for one in extra]
    opened: dict[date, list[Interval]] = {}

    def open_on(day: date) -> list[Interval]:
        if day not in opened:
            found = (hours.interval_on(day, zone) for hours in weekly if hours.is_valid_on(day))
            opened[day] = [interval for interval in found if interval is not None]
        return opened[day]

    def is_open(instant: datetime) -> bool:
        today = instant.astimezone(zone).date()
        near = [*always, *open_on(today - DAY), *open_on(today), *open_on(today + DAY)]
        return any(one.start - AROUND <= instant <= one.end + AROUND for one in near)

    return {instant for instant in instants if not is_open(instant)}
