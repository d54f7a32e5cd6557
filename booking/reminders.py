"""What we write to somebody about a visit: which messages, when, and whether they are still wanted.

A message is planned in the transaction that books or cancels; its words are made when it is sent. They hold the
clinic, the day, the time, the phone and opaque links: never a reason, a questionnaire's name or a part of the body.
"""

from datetime import datetime, timedelta
from functools import partial

from booking.calendar_file import visit_calendar
from booking.models import Appointment
from booking.visit_links import intake_url, visit_url
from booking.wording import known_zone, near_day_words, place_words, visit_time, visitors_visit_time
from clinic.outbox.kinds import Email, MessageKind, register_kind
from clinic.outbox.messages import plan_message, withdraw_messages
from clinic.outbox.models import Message, State
from clinic.outbox.quiet_hours import QuietHours, moved_before_quiet_hours
from clinic.outbox.rendering import render_email
from clinic.practice.models import Clinic

BOOKED, MOVED, CANCELLED = "booking_booked", "booking_moved", "booking_cancelled"
REMINDER_48H, REMINDER_2H = "booking_reminder_48h", "booking_reminder_2h"


UNDO_FOR = timedelta(minutes=3)  # nobody is told of a cancellation before


def plan_visit_messages(appointment: Appointment, *, clinic: Clinic, now: datetime, news: str | None = BOOKED) -> None:
    """Plan the `news` (that it is booked, or moved; None for nothing new) for now, and the reminders 48 and 2 hours
    before the visit.

    A reminder whose time has passed is left out. One that would be due in the reader's night before the visit is
    planned for the evening before; the one 48 hours ahead can wait until morning, which the outbox sees to.
    """
    plan = partial(_plan, appointment, now=now)
    if news is not None:
        plan(news, due_at=now, not_after=max(appointment.starts_at, now + timedelta(hours=1)))
    two_days_before = appointment.starts_at - timedelta(hours=48)
    if two_days_before > now:
        plan(REMINDER_48H, due_at=two_days_before, not_after=appointment.starts_at - timedelta(hours=6))
    reader = QuietHours(clinic.quiet_from, clinic.quiet_until, known_zone(appointment.visitor_time_zone) or clinic.zone)
    shortly_before = moved_before_quiet_hours(appointment.starts_at - timedelta(hours=2), reader)
    if shortly_before > now:
        plan(REMINDER_2H, due_at=shortly_before, not_after=appointment.starts_at)


def plan_messages_after_move(appointment: Appointment, *, clinic: Clinic, now: datetime) -> None:
    """Withdraw what is still waiting about the old time, say the new one, and plan its reminders."""
    withdraw_messages(subject_id=appointment.pk, reason="the visit was moved", now=now)
    plan_visit_messages(appointment, clinic=clinic, now=now, news=MOVED)


def plan_cancelled_message(appointment: Appointment, *, now: datetime) -> None:
    """Withdraw what is still waiting about the visit, and say that it is cancelled once that cannot be undone."""
    withdraw_messages(subject_id=appointment.pk, reason="the visit was cancelled", now=now)
    last = max(appointment.starts_at, now + timedelta(hours=4))
    _plan(appointment, CANCELLED, due_at=now + UNDO_FOR, not_after=last, now=now)


def plan_messages_again(appointment: Appointment, *, clinic: Clinic, now: datetime) -> None:
    """After a cancellation was undone: nobody hears of it, the reminders come, and so does news that had not gone."""
    withdraw_messages(subject_id=appointment.pk, reason="the cancellation was undone", now=now)
    news = Message.objects.filter(subject_id=appointment.pk, kind__in=(BOOKED, MOVED)).order_by("version").last()
    is_known = news is None or news.state == State.SENT
    plan_visit_messages(appointment, clinic=clinic, now=now, news=None if is_known else news.kind)


def _plan(appointment: Appointment, kind: str, **times) -> None:
    plan_message(
        kind=kind, subject_id=appointment.pk, version=appointment.version, patient=appointment.patient, **times
    )


def why_unwanted(message: Message, now: datetime) -> str | None:
    """Why a message about a visit that should stand must not go out any more; None if it must."""
    appointment = Appointment.objects.filter(pk=message.subject_id).first()
    if appointment is None:
        return "the visit is gone"
    if appointment.status != Appointment.Status.BOOKED:
        return f"the visit is {appointment.get_status_display()}"
    if appointment.version != message.version:
        return "the visit was changed"
    if appointment.starts_at <= now:
        return "the visit has begun"
    return "the patient has arrived" if appointment.arrived_at else None


def why_cancellation_unwanted(message: Message, now: datetime) -> str | None:
    """Why nobody needs to be told any more that a visit is cancelled."""
    is_cancelled = Appointment.objects.filter(
        pk=message.subject_id, status=Appointment.Status.CANCELLED, version=message.version
    ).exists()
    return None if is_cancelled else "the visit is not cancelled"


def render_visit_email(message: Message, now: datetime, *, has_calendar: bool) -> Email:
    """The mail of the message's kind, as things stand at `now`. Issues the links it holds."""
    appointment = Appointment.objects.select_related("patient", "service", "intake").get(pk=message.subject_id)
    clinic = Clinic.objects.current()
    return render_email(
        message.kind,
        to=appointment.patient.email,
        context=email_context(appointment, clinic=clinic, now=now),
        clinic=clinic,
        calendar=visit_calendar(appointment=appointment, clinic=clinic, now=now) if has_calendar else None,
    )


def email_context(appointment: Appointment, *, clinic: Clinic, now: datetime) -> dict:
    """What the words of a message about a visit may use, and nothing else of the patient or the visit."""
    is_standing = appointment.status == Appointment.Status.BOOKED
    is_in_person = appointment.mode == Appointment.Mode.IN_PERSON
    has_open_questions = is_standing and appointment.intake and appointment.intake.progress != "done"
    here, there = visit_time(appointment, clinic), visitors_visit_time(appointment, clinic)
    reader_time = there or here
    return {
        "reference": appointment.reference,
        "when": here,
        "when_there": there.beside(here) if there else "",
        "reader_time": reader_time,
        "near_day": near_day_words(appointment.starts_at, now=now, zone=reader_time.zone),
        "place": place_words(appointment, clinic),
        "bring": clinic.what_to_bring if is_standing and is_in_person else "",
        "button_url": visit_url(appointment, now=now),
        "button_text": "See or change your visit" if is_standing else "See your visit",
        "intake_url": intake_url(appointment, now=now) if has_open_questions else "",
    }


def register_message_kinds() -> None:
    """Tell the outbox how each kind is worded and when it is still wanted. Called once, when the app is ready."""
    for name, has_calendar, is_quiet_at_night, still_wanted in (
        (BOOKED, True, False, why_unwanted),
        (MOVED, True, False, why_unwanted),
        (CANCELLED, True, False, why_cancellation_unwanted),
        (REMINDER_48H, False, True, why_unwanted),
        (REMINDER_2H, False, True, why_unwanted),
    ):
        register_kind(
            MessageKind(
                name=name,
                render=partial(render_visit_email, has_calendar=has_calendar),
                still_wanted=still_wanted,
                respects_quiet_hours=is_quiet_at_night,
            )
        )
