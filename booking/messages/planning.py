"""What we write to somebody about a visit: which messages, when, and whether they are still wanted.

A message is planned in the transaction that books or cancels; its words are made when it is sent. They hold the
clinic, the day, the time, the phone and opaque links: never a reason, a questionnaire's name or a part of the body.
"""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.urls import reverse

from booking.messages.change_text import change_values, with_terms
from booking.messages.invitation import visit_calendar
from booking.messages.kinds import (
    BOOKED,
    CANCELLED,
    CLINIC_DETAILS,
    CLINIC_MOVED,
    CONFIRM_FAR,
    FOLLOW_UP,
    FRAME,
    INTAKE_1D,
    INTAKE_3D,
    MOVED,
    REMINDER_2H,
    REMINDER_48H,
    TEXTS,
    buttons,
    reworded,
    short_address,
)
from booking.messages.last_told import known_terms, moves_untold, news_of
from booking.messages.relevance import (
    why_cancellation_unwanted,
    why_clinic_news_unwanted,
    why_confirming_unwanted,
    why_follow_up_unwanted,
    why_move_unwanted,
    why_questions_unwanted,
    why_unwanted,
)
from booking.models import Appointment, Service
from booking.schedule.clocks import clock_of_visit
from booking.schedule.local_time import guardian_words, near_day_words, place_words
from booking.schedule.rules import change_deadline
from booking.schedule.visit_links import intake_url, visit_url
from clinic.outbox.messages.kinds import SHORTEST_LEAD_MINUTES, Email, MessageKind, register_kind, register_scopes
from clinic.outbox.messages.message_rules import rules_in_force, words_of
from clinic.outbox.messages.planning import (
    draft_message,
    plan_messages,
    postpone_messages,
    useful_until,
    withdraw_messages,
)
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.models import Message
from clinic.outbox.text.quiet_hours import QuietHours, planned_around_quiet_hours
from clinic.outbox.texts.texting import texts_beside
from clinic.practice.models import Clinic
from clinic.practice.values.phone import format_phone
from clinic.practice.values.zones import known_zone

UNDO_FOR = timedelta(minutes=3)  # a cancellation or a move is not announced before; the last change counts
FAR_OFF = timedelta(weeks=3)
# How long before the visit each is given up, or half-way to it if that is later.
GIVEN_UP = {
    CONFIRM_FAR: timedelta(days=3),
    REMINDER_48H: timedelta(hours=6),
    REMINDER_2H: timedelta(0),
    INTAKE_3D: timedelta(hours=36),
    INTAKE_1D: timedelta(hours=2),
}


def plan_visit_messages(
    appointment: Appointment,
    *,
    clinic: Clinic,
    now: datetime,
    news: str | None = BOOKED,
    news_after: timedelta = timedelta(0),
    is_news_texted: bool = False,
) -> None:
    """Plan the `news` (that it is booked, or moved; None for nothing new) for `news_after` from now, and what the clinic's
    rules send before and after the visit. `is_news_texted`: the news goes by text too.

    What should have gone before now is left out. A reminder that the reader's night would make too late is planned for the
    evening before, the last reminder whenever it would be due at night; others wait until morning, which the outbox sees to.
    """
    rules = rules_in_force(scope=appointment.service.slug)
    drafts: list[Message] = []

    def plan(kind: str, **times) -> None:
        drafts.append(_draft(appointment, kind, now=now, **times))

    if news is not None and rules[news].is_active:
        plan(news, due_at=now + news_after, not_after=max(appointment.starts_at, now + timedelta(hours=1)))
    for kind in _announcements(appointment, now=now):
        due_at, not_after = _times_before(appointment, kind, lead_minutes=rules[kind].minutes, clinic=clinic)
        if due_at > now and rules[kind].is_active:
            plan(kind, due_at=due_at, not_after=not_after)
    if rules[FOLLOW_UP].is_active:
        due_at = appointment.ends_at + timedelta(minutes=rules[FOLLOW_UP].minutes)
        plan(FOLLOW_UP, due_at=due_at, not_after=due_at + timedelta(days=3))
    plan_messages([*drafts, *texts_beside(drafts, now=now, with_news=is_news_texted)])


def _times_before(
    appointment: Appointment, kind: str, *, lead_minutes: int, clinic: Clinic
) -> tuple[datetime, datetime]:
    """When a reminder of `kind` is due, and when it is given up."""
    lead = timedelta(minutes=max(lead_minutes, SHORTEST_LEAD_MINUTES))
    due_at, not_after = appointment.starts_at - lead, appointment.starts_at - min(GIVEN_UP[kind], lead / 2)
    zone = known_zone(reader_zone_name(appointment)) or clinic.zone
    night = QuietHours(clinic.quiet_from, clinic.quiet_until, zone)
    latest = due_at if kind == REMINDER_2H else useful_until(due_at=due_at, not_after=not_after)
    return planned_around_quiet_hours(due_at, night, by=latest), not_after


def _announcements(appointment: Appointment, *, now: datetime) -> list[str]:
    """The kinds that go before this visit: the far-off ones are asked whether they still hold, the intake is asked for."""
    kinds = [REMINDER_48H, REMINDER_2H]
    if appointment.starts_at > now + FAR_OFF:
        kinds.append(CONFIRM_FAR)
    return [*kinds, INTAKE_3D, INTAKE_1D] if appointment.intake_id else kinds


def plan_messages_after_change(appointment: Appointment, *, reason: str, clinic: Clinic, now: datetime) -> None:
    """After a move or an undone cancellation: withdraw what is still waiting, for `reason`, and plan reminders anew.

    What the patient does not know yet is said once nothing has changed for `UNDO_FOR`: one mail, whatever happened in
    between, and none if the visit is what it was. It goes by text too if staff made the last move.
    """
    withdraw_messages(subject_id=appointment.pk, reason=reason, spared=(CLINIC_MOVED, CLINIC_DETAILS), now=now)
    news, moves = news_of(appointment), moves_untold(appointment)
    plan_visit_messages(
        appointment,
        clinic=clinic,
        now=now,
        news=news,
        news_after=UNDO_FOR if news == MOVED else timedelta(0),
        is_news_texted=bool(moves) and moves[-1].by_id is not None,
    )


def plan_cancelled_message(appointment: Appointment, *, now: datetime) -> None:
    """Withdraw what is still waiting about the visit, and say that it is cancelled once that cannot be undone; by text too
    if staff cancelled it. News of the clinic waits until then: it is wanted if the cancellation is undone."""
    withdraw_messages(
        subject_id=appointment.pk, reason="the visit was cancelled", spared=(CLINIC_MOVED, CLINIC_DETAILS), now=now
    )
    postpone_messages(subject_ids=[appointment.pk], until=now + UNDO_FOR)
    last = max(appointment.starts_at, now + timedelta(hours=4))
    draft = _draft(appointment, CANCELLED, due_at=now + UNDO_FOR, not_after=last, now=now)
    plan_messages([draft, *texts_beside([draft], now=now, with_news=appointment.cancelled_by_id is not None)])


def plan_messages_to_new_address(appointment: Appointment, *, clinic: Clinic, now: datetime) -> None:
    """Confirm the visit to another mailbox and plan its reminders anew. Raises the visit's version: what was planned for
    the old address is not sent."""
    withdraw_messages(subject_id=appointment.pk, reason="the address was corrected", now=now)
    appointment.version += 1
    appointment.save(update_fields=["version"])
    plan_visit_messages(appointment, clinic=clinic, now=now)


def _draft(appointment: Appointment, kind: str, **times) -> Message:
    return draft_message(
        kind=kind,
        subject_id=appointment.pk,
        version=appointment.version,
        patient=appointment.patient,
        scope=appointment.service.slug,
        time_zone=reader_zone_name(appointment),
        **times,
    )


def reader_zone_name(appointment: Appointment) -> str:
    """Where its reader is at the time of the visit: an IANA name, empty for the clinic's zone, as for every visit in person.

    It is taken from this visit alone: what a patient's record says of their zone may come from anybody's earlier booking.
    """
    return "" if appointment.mode == Appointment.Mode.IN_PERSON else appointment.visitor_time_zone


def render_visit_email(message: Message, now: datetime, *, has_calendar: bool) -> Email:
    """The mail of the message's kind, as things stand at `now`. Issues the links it holds."""
    appointment = _visit_of(message)
    clinic = Clinic.objects.current()
    return render_email(
        message.kind,
        to=appointment.patient.email,
        patient=appointment.patient,
        context=email_context(appointment, clinic=clinic, now=now, kind=message.kind, version=message.version),
        clinic=clinic,
        words=words_of(message),
        frame=FRAME,
        calendar=visit_calendar(appointment=appointment, clinic=clinic, now=now) if has_calendar else None,
    )


def _visit_of(message: Message) -> Appointment:
    visits = Appointment.objects.select_related("patient", "service", "intake", "therapist")
    return visits.get(pk=message.subject_id)


def email_context(
    appointment: Appointment, *, clinic: Clinic, now: datetime, kind: str = "", version: int | None = None
) -> dict:
    """What the words of a message about a visit may use, and nothing else of the patient or the visit.

    `version` is the message's: what it says of changes is relative to what went before it.
    """
    visit_page = visit_url(appointment, now=now)
    is_standing = appointment.status == Appointment.Status.BOOKED
    is_in_person = appointment.mode == Appointment.Mode.IN_PERSON
    has_open_questions = is_standing and appointment.intake and appointment.intake.progress != "done"
    return {
        **placeholder_values(appointment, clinic=clinic, now=now, kind=kind, version=version),
        "not_me_url": f"{visit_page}cancel/" if kind == BOOKED and appointment.patient.is_provisional else "",
        "change_words": _change_words(appointment, clinic, now=now) if kind in (BOOKED, MOVED) else "",
        "minor_words": guardian_words(appointment) if kind == BOOKED else "",
        "bring": clinic.what_to_bring if is_standing and is_in_person else "",
        **buttons(
            kind,
            visit_url=visit_page,
            intake_url=intake_url(appointment, now=now) if has_open_questions else "",
            booking_url=settings.SITE_URL + reverse("booking:services"),
            is_standing=is_standing,
            is_confirmed=appointment.confirmed_at is not None,
        ),
    }


def _change_words(appointment: Appointment, clinic: Clinic, *, now: datetime) -> str:
    """Until when the patient can move or cancel online, and what it costs later."""
    deadline = change_deadline(starts_at=appointment.starts_at, booked_at=appointment.created_at, clinic=clinic)
    if appointment.status != Appointment.Status.BOOKED or now >= appointment.starts_at:
        return ""
    until = f"You can move or cancel online until {clock_of_visit(appointment, clinic=clinic).time(deadline)}."
    words = until if now < deadline else "It is too late to move or cancel online. Please call us."
    return " ".join(filter(None, [words, appointment.late_fee_words]))


def text_values(message: Message, now: datetime) -> dict:
    """What a text about the message's visit may hold."""
    return placeholder_values(
        _visit_of(message), clinic=Clinic.objects.current(), now=now, kind=message.kind, version=message.version
    )


def placeholder_values(
    appointment: Appointment, *, clinic: Clinic, now: datetime, kind: str = "", version: int | None = None
) -> dict:
    """What the words of a message may be filled with, as things stand at `now`.

    The mail about a cancellation names the time that the patient knows, whatever was changed just before.
    """
    known = known_terms(appointment, before=version) if kind in (MOVED, CANCELLED) else None
    changes = change_values(appointment, known, clinic=clinic)
    if kind == CANCELLED and known is not None:
        appointment = with_terms(appointment, known)
    clock = clock_of_visit(appointment, clinic=clinic)
    time = clock.time(appointment.starts_at)
    return {
        "clinic": clinic,
        "phone": format_phone(clinic.phone, clinic.country) or "us",  # “call us”
        "reference": appointment.reference,
        "when": time,
        "when_beside": clock.beside_words(appointment.starts_at),
        "day": time.day,
        "time": time.clock_and_zone,
        "day_word": near_day_words(appointment.starts_at, now=now, zone=clock.zone),
        "place": place_words(appointment, clinic),
        "new_address": short_address(clinic),
        "therapist": appointment.therapist,
        **changes,
    }


def register_message_kinds() -> None:
    """Tell the outbox how each kind is worded and when it is still wanted. Called once, when the app is ready."""
    register_scopes(lambda: list(Service.objects.values_list("slug", "name")))
    for name, has_calendar, is_quiet_at_night, still_wanted in (
        (BOOKED, True, False, why_unwanted),
        (MOVED, True, False, why_move_unwanted),
        (CANCELLED, True, False, why_cancellation_unwanted),
        (CLINIC_MOVED, True, False, why_clinic_news_unwanted),
        (CLINIC_DETAILS, True, False, why_clinic_news_unwanted),
        (REMINDER_48H, False, True, why_unwanted),
        (REMINDER_2H, False, True, why_unwanted),
        (CONFIRM_FAR, False, True, why_confirming_unwanted),
        (INTAKE_3D, False, True, why_questions_unwanted),
        (INTAKE_1D, False, True, why_questions_unwanted),
        (FOLLOW_UP, False, True, why_follow_up_unwanted),
    ):
        register_kind(
            MessageKind(
                name=name,
                render=partial(render_visit_email, has_calendar=has_calendar),
                still_wanted=still_wanted,
                respects_quiet_hours=is_quiet_at_night,
                reworded=reworded(name),
                text_values=text_values if name in TEXTS else None,
                is_about_visit=name != FOLLOW_UP,
                is_reminder=is_quiet_at_night and name != FOLLOW_UP,
                is_news=name in (MOVED, CANCELLED, CLINIC_MOVED),
                is_texted_without_mail=name == BOOKED,
            )
        )
