"""Blocking time in which nobody shall book."""

from datetime import UTC, datetime

from booking.diary_lock import locked_diaries
from booking.models import Appointment, HoursOverride
from booking.refusals import VisitsInTheWay
from booking.scheduling import Interval
from clinic.practice.models import Therapist, User


def block_time(
    *,
    therapist: Therapist | None,
    starts_at: datetime,
    ends_at: datetime,
    note: str = "",
    despite_visits: bool = False,
    by: User,
) -> HoursOverride:
    """Close the stretch from `starts_at` to `ends_at` for a therapist, or for everybody with None.

    Raises VisitsInTheWay, with the visits that stand in it, unless `despite_visits`: they stay booked, and somebody has
    to call those people. The diaries are locked, so that none can be booked between the look and the closing.
    """
    concerned = [therapist] if therapist is not None else list(Therapist.objects.active())
    with locked_diaries(one.pk for one in concerned):
        visits = visits_between(therapist=therapist, starts_at=starts_at, ends_at=ends_at)
        if visits and not despite_visits:
            raise VisitsInTheWay(visits)
        return HoursOverride.objects.create(
            kind=HoursOverride.Kind.CLOSURE,
            therapist=therapist,
            starts_at=starts_at,
            ends_at=ends_at,
            note=note,
            created_by=by,
        )


def visits_between(*, therapist: Therapist | None, starts_at: datetime, ends_at: datetime) -> list[Appointment]:
    """The visits that stand in a stretch, of a therapist or of everybody, with their patients."""
    stretch = Interval(starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    visits = Appointment.objects.booked_within(stretch).select_related("patient", "service")
    if therapist is not None:
        visits = visits.filter(therapist=therapist)
    return list(visits)
