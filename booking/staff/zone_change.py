"""The rows of the schedule that a change of the clinic's time zone affects: visits, and blocked or extra time."""

from datetime import datetime

from booking.models import Appointment, HoursOverride
from clinic.practice.models import User
from clinic.practice.saving.zone_changes import Dated, register_dated


def register_schedule() -> None:
    """Register the readers of upcoming visits and of blocked or extra time. Call it in AppConfig.ready."""
    register_dated("visits", _visits_ahead)
    register_dated("blocked and extra time", _overrides_ahead)


def _visits_ahead(by: User, now: datetime) -> list[Dated]:
    """Return the upcoming booked visits, with the patient's name only if `by` may view visits."""
    visits = Appointment.objects.filter(status=Appointment.Status.BOOKED, starts_at__gt=now)
    may_see = by.has_perm("booking.view_appointment")
    return [
        Dated(visit.starts_at, f"{visit.booked_patient.name}, {visit.service.name}" if may_see else visit.service.name)
        for visit in visits.select_related("patient", "service")
    ]


def _overrides_ahead(by: User, now: datetime) -> list[Dated]:
    labels = {HoursOverride.Kind.CLOSURE: "Blocked time", HoursOverride.Kind.EXTRA: "Extra hours"}
    ahead = HoursOverride.objects.filter(ends_at__gt=now).select_related("therapist")
    return [
        Dated(
            one.starts_at,
            f"{labels[HoursOverride.Kind(one.kind)]}, {one.therapist.name if one.therapist else 'all therapists'}",
        )
        for one in ahead
    ]
