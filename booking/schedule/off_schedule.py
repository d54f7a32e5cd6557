"""Find upcoming visits that the current schedule would not offer, and accept them as they are.

The search takes at most six queries for any number of visits. Instants are in UTC; days are the clinic's.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects

from booking.models import Appointment, AppointmentEvent, HoursOverride, OpeningHours, Purpose, Service
from booking.schedule.errors import OffScheduleBecause, TooLateToChange
from booking.schedule.history import lock_appointment, record_event, require_version
from booking.schedule.locking import row_locks
from booking.time.intervals import Interval, subtract
from booking.time.opening_hours import WeeklyHours, opening_intervals
from clinic.practice.models import Clinic, User

Because, Kind = OffScheduleBecause, HoursOverride.Kind

SENTENCES = {
    Because.INACTIVE: "The therapist is switched off.",
    Because.THERAPIST: "The therapist does not do this service.",
    Because.HIDDEN: "The service is hidden.",
    Because.MODE: "The service is not offered this way.",
    Because.HOURS: "Outside opening hours.",
    Because.CLOSED: "In blocked time.",
    Because.TWICE: "The patient has another visit at this time.",
    Because.ALONE: "A follow-up: the visit before it was canceled, missed or moved.",
}


@dataclass(frozen=True)
class OffSchedule:
    """A visit and the reasons that staff have not accepted."""

    visit: Appointment
    reasons: tuple[OffScheduleBecause, ...]

    @property
    def sentences(self) -> list[str]:
        """One sentence for staff for each reason."""
        return [SENTENCES[reason] for reason in self.reasons]


def visits_off_schedule(*, now: datetime, clinic: Clinic | None = None) -> list[OffSchedule]:
    """Return booked visits after `now` that the schedule would not offer, soonest first.

    Notice, horizon, caps and start times are not checked, and hours by phone only or reserved count as open. These
    rules restrict online booking, not whether the therapist is there. Reasons that staff accepted are omitted, and so
    are visits without another reason. Loads the patients of the returned visits only, since a loaded patient counts as
    seen in the audit log.
    """
    listed = [
        OffSchedule(visit, reasons)
        for visit, found in _with_reasons(_ahead(now), clinic)
        if (reasons := tuple(one for one in found if one not in visit.off_schedule_accepted))
    ]
    prefetch_related_objects([one.visit for one in listed], "patient")
    return listed


@row_locks()
def accept_off_schedule(
    *, appointment: Appointment, version: int | str | None = None, by: User, now: datetime
) -> Appointment:
    """Accept the visit's current reasons. A new reason is listed again. Idempotent.

    Raises VisitChanged if the page showed another `version`, TooLateToChange unless the visit is booked and upcoming,
    or BusyTryAgain.
    """
    appointment = lock_appointment(appointment)
    if appointment.status != Appointment.Status.BOOKED or appointment.starts_at <= now:
        raise TooLateToChange
    require_version(appointment, version)
    if accept_reasons(appointment, now=now):
        record_event(appointment, AppointmentEvent.Kind.OFF_SCHEDULE, by=by, now=now)
    return appointment


def find_off_schedule(appointment: Appointment, *, now: datetime) -> OffSchedule:
    """Return the visit with the reasons that staff have not accepted, as in `visits_off_schedule`.

    There are no reasons if the visit is not booked or not upcoming.
    """
    found = dict(_with_reasons(_ahead(now).filter(patient=appointment.patient_id))).get(appointment, ())
    return OffSchedule(appointment, tuple(one for one in found if one not in appointment.off_schedule_accepted))


def accept_reasons(appointment: Appointment, *, now: datetime) -> bool:
    """Store the visit's current reasons as accepted. Return whether the row changed."""
    found = dict(_with_reasons(_ahead(now).filter(patient=appointment.patient_id))).get(appointment, ())
    accepted = sorted(map(str, found))
    if accepted == appointment.off_schedule_accepted:
        return False
    appointment.off_schedule_accepted = accepted
    appointment.save(update_fields=["off_schedule_accepted"])
    return True


def _ahead(now: datetime) -> QuerySet[Appointment]:
    visits = Appointment.objects.filter(status=Appointment.Status.BOOKED, starts_at__gt=now)
    return visits.select_related("service", "therapist").order_by("starts_at", "therapist__position", "pk")


def _with_reasons(
    rows: QuerySet[Appointment], clinic: Clinic | None = None
) -> list[tuple[Appointment, list[OffScheduleBecause]]]:
    visits = list(rows)
    if not visits:
        return []
    week, does = _Week(visits, clinic or Clinic.objects.current()), _who_does_what(visits)
    of_patients = ((Because.TWICE, _double_booked(visits)), (Because.ALONE, _without_earlier_visit(visits)))
    return [
        (
            visit,
            _service_reasons(visit, does)
            + week.reasons(visit)
            + [why for why, keys in of_patients if visit.pk in keys],
        )
        for visit in visits
    ]


def _service_reasons(visit: Appointment, does: set[tuple[UUID, UUID]]) -> list[OffScheduleBecause]:
    service = visit.service
    broken = {
        Because.INACTIVE: not visit.therapist.is_active,
        Because.THERAPIST: (service.pk, visit.therapist_id) not in does,
        Because.HIDDEN: service.listing == Service.Listing.HIDDEN,
        Because.MODE: visit.mode not in service.offered_modes,
    }
    return [reason for reason, is_broken in broken.items() if is_broken]


def _who_does_what(visits: list[Appointment]) -> set[tuple[UUID, UUID]]:
    pairs = Service.therapists.through.objects.filter(service__in={visit.service_id for visit in visits})
    return set(pairs.values_list("service_id", "therapist_id"))


def _double_booked(visits: list[Appointment]) -> set[UUID]:
    """Return the keys of the `visits` that overlap another of the `visits` of the same patient.

    A visit is omitted if staff accepted TWICE for the other visit.
    """
    found: set[UUID] = set()
    ahead: defaultdict[UUID | None, list[Appointment]] = defaultdict(list)
    for visit in visits:
        others = ahead[visit.patient_id] = [one for one in ahead[visit.patient_id] if one.ends_at > visit.starts_at]
        for other in others:
            found |= {one.pk for one, its_pair in ((visit, other), (other, visit)) if not _knows_twice(its_pair)}
        others.append(visit)
    return found


def _without_earlier_visit(visits: list[Appointment]) -> set[UUID]:
    """Return the keys of follow-ups that are the patient's first booked or completed visit. Calls do not count.

    A follow-up that is the patient's only visit is omitted, because staff booked it on purpose. Canceled and missed
    visits count as other visits.
    """
    follow_ups = [visit for visit in visits if visit.service.is_follow_up]
    if not follow_ups:
        return set()
    rows = Appointment.objects.filter(patient__in={visit.patient_id for visit in follow_ups}).order_by("starts_at")
    rows = rows.exclude(status=Appointment.Status.HELD).exclude(service__purpose=Purpose.CALL)
    starts: defaultdict[UUID | None, list[datetime]] = defaultdict(list)
    first: dict[UUID | None, datetime] = {}
    for patient, starts_at, status in rows.values_list("patient", "starts_at", "status"):
        starts[patient].append(starts_at)
        if status in (Appointment.Status.BOOKED, Appointment.Status.COMPLETED):
            first.setdefault(patient, starts_at)
    return {
        visit.pk
        for visit in follow_ups
        if len(starts[visit.patient_id]) > 1 and first.get(visit.patient_id) == visit.starts_at
    }


def _knows_twice(visit: Appointment) -> bool:
    return Because.TWICE in visit.off_schedule_accepted


class _Week:
    """The opening hours and overrides around some visits; two queries."""

    def __init__(self, visits: list[Appointment], clinic: Clinic):
        therapists = {visit.therapist_id for visit in visits}
        stretch = Interval(visits[0].starts_at, max(visit.ends_at for visit in visits))
        self.zone = clinic.zone
        self.hours: defaultdict[UUID, list[WeeklyHours]] = defaultdict(list)
        self.exceptions: defaultdict[tuple[UUID, str], list[Interval]] = defaultdict(list)
        for row in OpeningHours.objects.filter(therapist__in=therapists):
            self.hours[row.therapist_id].append(row.weekly)
        for override in HoursOverride.objects.touching(stretch):
            for therapist_id in therapists if override.therapist_id is None else therapists & {override.therapist_id}:
                self.exceptions[therapist_id, override.kind].append(override.interval)
        self.days: dict[tuple[UUID, date], list[Interval]] = {}

    def reasons(self, visit: Appointment) -> list[OffScheduleBecause]:
        """Return which of HOURS and CLOSED apply to the visit without its buffers."""
        extra, closed = (self.exceptions[visit.therapist_id, kind] for kind in (Kind.EXTRA, Kind.CLOSURE))
        openings = self._openings(visit) + [one for one in extra if one.overlaps(visit.interval)]
        broken = {
            Because.HOURS: bool(subtract([visit.interval], openings)),
            Because.CLOSED: any(one.overlaps(visit.interval) for one in closed),
        }
        return [reason for reason, is_broken in broken.items() if is_broken]

    def _openings(self, visit: Appointment) -> list[Interval]:
        """Return the weekly openings of the day on which the visit starts, the day before and the day after.

        A visit may cross midnight.
        """
        day = visit.starts_at.astimezone(self.zone).date()
        if (visit.therapist_id, day) not in self.days:
            self.days[visit.therapist_id, day] = opening_intervals(
                self.hours[visit.therapist_id], first_day=day - timedelta(days=1), days=3, zone=self.zone
            )
        return self.days[visit.therapist_id, day]
