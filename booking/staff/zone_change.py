"""What stands ahead in the schedule, for a change of the clinic's time zone: visits, and blocked or extra time."""

from datetime import datetime

from booking.models import Appointment, HoursOverride
from clinic.practice.models import User
from clinic.practice.saving.zone_changes import Dated, register_dated


def register_schedule() -> None:
    """Tell `clinic.practice` what is dated here. Called once, when the app is ready."""
    register_dated("visits", _visits_ahead)
    register_dated("blocked and extra time", _overrides_ahead)


def _visits_ahead(by: User, now: datetime) -> list[Dated]:
    """Booked visits that have not begun; with the patient's name for those who may see visits."""
    visits = Appointment.objects.filter(status=Appointment.Status.BOOKED, starts_at__gt=now)
    may_see = by.has_perm("booking.view_appointment")
    return [
        Dated(visit.starts_at, f"{visit.patient.name}, {visit.service.name}" if may_see else visit.service.name)
        for visit in visits.select_related("patient", "service")
    ]


def _overrides_ahead(by: User, now: datetime) -> list[Dated]:
    words = {HoursOverride.Kind.CLOSURE: "Blocked time", HoursOverride.Kind.EXTRA: "Extra hours"}
    ahead = HoursOverride.objects.filter(ends_at__gt=now).select_related("therapist")
    return [
        Dated(
            one.starts_at,
            f"{words[HoursOverride.Kind(one.kind)]}, {one.therapist.name if one.therapist else 'everybody'}",
        )
        for one in ahead
    ]
