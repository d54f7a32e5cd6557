"""Who says they will come, and who came. All of it can be said twice, and put right."""

from datetime import datetime

from django.db import transaction

from booking.history import lock_appointment, record_event, require_version
from booking.models import Appointment, AppointmentEvent
from booking.refusals import TooLateToChange, VisitCancelled, VisitNotStarted
from clinic.practice.models import User
from clinic.practice.patients import accept_patient

Status, Kind = Appointment.Status, AppointmentEvent.Kind


@transaction.atomic
def confirm_appointment(
    *, appointment: Appointment, version: int | None = None, by: User | None = None, now: datetime
) -> Appointment:
    """Note that the patient means to come. `version` is that of the page that asked.

    Raises VisitChanged, VisitCancelled, or TooLateToChange once the visit has begun.
    """
    appointment = _standing(appointment, version)
    if appointment.starts_at <= now or appointment.status != Status.BOOKED:
        raise TooLateToChange
    if appointment.confirmed_at is None:
        appointment.confirmed_at, appointment.not_coming_at = now, None
        appointment.save(update_fields=["confirmed_at", "not_coming_at"])
        record_event(appointment, Kind.CONFIRMED, by=by, now=now)
    return appointment


@transaction.atomic
def mark_arrived(*, appointment: Appointment, version: int | None = None, by: User, now: datetime) -> Appointment:
    """Note that the patient came; a visit that is over by then is completed. Undoes a no-show.

    Raises VisitCancelled, or VisitChanged if the visit is not at the `version` that the page showed.

    Until it is over the visit stays booked, so that its time stays blocked. Staff have met the person, so a provisional
    patient becomes known.
    """
    appointment = _standing(appointment, version)
    if appointment.patient.is_provisional:
        appointment.patient = accept_patient(appointment.patient, by=by, now=now)
        appointment.refresh_from_db(fields=["other_phone"])
    if appointment.arrived_at is None:
        appointment.arrived_at = now
        record_event(appointment, Kind.ARRIVED, by=by, now=now)
    if appointment.status == Status.NO_SHOW or appointment.ends_at <= now:
        appointment.status = Status.COMPLETED
    appointment.save(update_fields=["arrived_at", "status"])
    return appointment


@transaction.atomic
def mark_no_show(*, appointment: Appointment, version: int | None = None, by: User, now: datetime) -> Appointment:
    """Note that the patient did not come. Undoes an arrival.

    Raises VisitChanged as `mark_arrived`, VisitCancelled, or VisitNotStarted before the visit.
    """
    appointment = _standing(appointment, version)
    if now < appointment.starts_at:
        raise VisitNotStarted
    if appointment.status == Status.NO_SHOW:
        return appointment
    appointment.status, appointment.arrived_at = Status.NO_SHOW, None
    appointment.save(update_fields=["status", "arrived_at"])
    record_event(appointment, Kind.NO_SHOW, by=by, now=now)
    return appointment


def _standing(appointment: Appointment, version: int | None) -> Appointment:
    appointment = lock_appointment(appointment)
    if appointment.status == Status.CANCELLED:
        raise VisitCancelled
    require_version(appointment, version)
    return appointment
