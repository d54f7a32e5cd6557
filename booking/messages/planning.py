"""Plan messages about a visit, in the transaction that books, moves or cancels it. They are rendered when sent."""

from datetime import datetime, timedelta

from booking.messages.last_told import news_of, unannounced_moves
from booking.messages.names import ASKED_TO_MOVE, BOOKED, CANCELLED, CLINIC_NEWS, MOVED
from booking.messages.reader import reader_zone_of_visit
from booking.messages.visit_mail import VisitKind, visit_kinds
from booking.models import Appointment
from booking.models.visit_states import UNDO_FOR
from clinic.outbox.messages.kinds import SHORTEST_LEAD_MINUTES, Timing
from clinic.outbox.messages.message_rules import rules_in_force
from clinic.outbox.messages.planning import (
    draft_message,
    plan_messages,
    postpone_messages,
    useful_until,
    withdraw_messages,
)
from clinic.outbox.models import Message
from clinic.outbox.text.quiet_hours import QuietHours, planned_around_quiet_hours
from clinic.outbox.texts.texting import texts_beside
from clinic.practice.models import Clinic
from clinic.practice.values.zones import known_zone

MINUTE = timedelta(minutes=1)
NOT_TOLD = "staff chose not to tell the patient of the move"


def plan_visit_messages(
    appointment: Appointment,
    *,
    clinic: Clinic,
    now: datetime,
    news: str | None = BOOKED,
    news_after: timedelta = timedelta(0),
    reminders_after: timedelta = timedelta(0),
    is_news_texted: bool = False,
) -> None:
    """Plan the message `news` (BOOKED, MOVED or None), and the messages that are sent before and after the visit.

    The news is due `news_after` from now, and the others not before `reminders_after`; with `is_news_texted` the news is
    also sent as a text. Kinds whose rule is inactive are omitted, and so are messages before the visit that would be
    due by now. A reminder due in quiet hours is planned for the evening before if it would be useless after them or
    `goes_before_night`. The outbox delays other messages until the morning.
    """
    rules = rules_in_force(scope=appointment.service.slug)
    drafts: list[Message] = []
    if news is not None and rules[news].is_active:
        last = max(appointment.starts_at, now + timedelta(hours=1))
        drafts.append(_draft(appointment, news, due_at=now + news_after, not_after=last, now=now))
    for kind in visit_kinds():
        rule = rules[kind.name]
        if kind.timing == Timing.AT_ONCE or not rule.is_active or not kind.is_for(appointment, now):
            continue
        due_at, not_after = _times(appointment, kind, minutes=rule.minutes, clinic=clinic)
        if due_at > now or kind.timing == Timing.AFTER:
            due_at = max(due_at, min(now + reminders_after, not_after - MINUTE))
            drafts.append(_draft(appointment, kind.name, due_at=due_at, not_after=not_after, now=now))
    plan_messages([*drafts, *texts_beside(drafts, now=now, with_news=is_news_texted)])


def _times(appointment: Appointment, kind: VisitKind, *, minutes: int, clinic: Clinic) -> tuple[datetime, datetime]:
    """Return the instant at which a message of `kind` is due, and the instant after which it is not sent."""
    if kind.timing == Timing.AFTER:
        due_at = appointment.ends_at + timedelta(minutes=minutes)
        return due_at, due_at + kind.given_up
    lead = timedelta(minutes=max(minutes, SHORTEST_LEAD_MINUTES))
    due_at, not_after = appointment.starts_at - lead, appointment.starts_at - min(kind.given_up, lead / 2)
    zone = known_zone(reader_zone_of_visit(appointment)) or clinic.zone
    night = QuietHours(clinic.quiet_from, clinic.quiet_until, zone)
    latest = due_at if kind.goes_before_night else useful_until(due_at=due_at, not_after=not_after)
    return planned_around_quiet_hours(due_at, night, by=latest), not_after


def plan_messages_after_change(
    appointment: Appointment, *, reason: str, clinic: Clinic, undo_for: timedelta = timedelta(0), now: datetime
) -> None:
    """Withdraw waiting messages with `reason` after a move or an undone cancellation, and plan new ones.

    News about the clinic is kept. The patient gets one email about all changes, `UNDO_FOR` after the last one. If they
    know the current terms, or staff chose not to tell them, they get none, or a confirmation if no message was sent
    yet. They also get a text if staff made the last move of which they were not notified. No message is sent within
    `undo_for`, the time in which the change can be undone, except for the confirmation after a move by the patient.
    """
    withdraw_messages(subject_id=appointment.pk, reason=reason, spared=CLINIC_NEWS, now=now)
    if undo_for:
        postpone_messages(subject_ids=[appointment.pk], until=now + undo_for)
    news, moves = news_of(appointment), unannounced_moves(appointment)
    is_by_staff = bool(moves) and moves[-1].by_id is not None and moves[-1].version == appointment.version
    plan_visit_messages(
        appointment,
        clinic=clinic,
        now=now,
        news=news,
        news_after=UNDO_FOR if news == MOVED or is_by_staff else timedelta(0),
        reminders_after=undo_for,
        is_news_texted=bool(moves) and moves[-1].by_id is not None,
    )


def withdraw_news_of_move(appointment: Appointment, *, due_at: datetime, now: datetime) -> None:
    """Withdraw the waiting messages about a move of which staff chose not to tell the patient.

    If no message was sent yet, the patient still gets a confirmation, at `due_at`.
    """
    withdraw_messages(subject_id=appointment.pk, reason=NOT_TOLD, kinds=[MOVED], now=now)
    if news_of(appointment) == BOOKED and rules_in_force(scope=appointment.service.slug)[BOOKED].is_active:
        last = max(appointment.starts_at, due_at + timedelta(hours=1))
        draft = _draft(appointment, BOOKED, due_at=due_at, not_after=last, now=now)
        plan_messages([draft, *texts_beside([draft], now=now, with_news=True)])


def plan_cancelled_message(appointment: Appointment, *, now: datetime) -> None:
    """Withdraw the waiting messages, and plan one about the cancellation for the end of `UNDO_FOR`.

    It is also sent as a text if staff canceled the visit. News about the clinic is postponed until then, because it is
    relevant if the cancellation is undone.
    """
    withdraw_messages(subject_id=appointment.pk, reason="the visit was canceled", spared=CLINIC_NEWS, now=now)
    postpone_messages(subject_ids=[appointment.pk], until=now + UNDO_FOR)
    last = max(appointment.starts_at, now + timedelta(hours=4))
    draft = _draft(appointment, CANCELLED, due_at=now + UNDO_FOR, not_after=last, now=now)
    plan_messages([draft, *texts_beside([draft], now=now, with_news=appointment.cancelled_by_id is not None)])


def plan_request_to_move(appointment: Appointment, *, now: datetime) -> None:
    """Plan the message, due now, that asks the patient to choose another time, and its text."""
    draft = _draft(appointment, ASKED_TO_MOVE, due_at=now, not_after=appointment.starts_at, now=now)
    rule = rules_in_force(scope=appointment.service.slug)[ASKED_TO_MOVE]
    if rule.is_active:
        plan_messages([draft, *texts_beside([draft], now=now, with_news=True)])


def plan_messages_to_new_address(appointment: Appointment, *, clinic: Clinic, now: datetime) -> None:
    """Plan a confirmation of the visit to the patient's new address, and plan its reminders again.

    Increments the version, so that messages planned for the old address are not sent.
    """
    withdraw_messages(subject_id=appointment.pk, reason="the address was corrected", now=now)
    appointment.version += 1
    appointment.save(update_fields=["version"])
    plan_visit_messages(appointment, clinic=clinic, now=now)


def _draft(appointment: Appointment, kind: str, *, due_at: datetime, not_after: datetime, now: datetime) -> Message:
    return draft_message(
        kind=kind,
        subject_id=appointment.pk,
        version=appointment.version,
        patient=appointment.booked_patient,
        scope=appointment.service.slug,
        time_zone=reader_zone_of_visit(appointment),
        due_at=due_at,
        not_after=not_after,
        now=now,
    )
