"""Emails and texts about a visit: the base class of their kinds, and their rendering when they are sent.

They may contain the clinic, the therapist, day, time, place, reference, phone number and opaque links, but never a
reason, the name of a questionnaire or a body site.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse

from booking.messages.buttons import SAMPLE_LINKS, VisitLinks, see_visit
from booking.messages.change_text import change_values, with_terms
from booking.messages.invitation import visit_calendar
from booking.messages.last_told import has_older_calendar, known_terms, was_moved_silently
from booking.messages.names import CLINIC_NEWS
from booking.messages.relevance import why_unwanted
from booking.messages.samples import PLACEHOLDERS, sample_values, short_address
from booking.models import Appointment
from booking.schedule.clocks import clock_of_visit
from booking.schedule.local_time import format_place
from booking.schedule.rules import change_deadline_of
from booking.schedule.visit_links import intake_url, visit_url
from clinic.outbox.messages.kinds import Email, KindUnknown, MessageKind, Sample, TemplateText, all_kinds, find_kind
from clinic.outbox.messages.rendering import render_email, sample_clinic
from clinic.outbox.models import Message
from clinic.practice.models import Clinic
from clinic.practice.values.dates import format_near_day
from clinic.practice.values.phone import format_phone


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    """Render the email as of `now`, and issue its links."""
    kind, appointment, clinic = find_visit_kind(message.kind), _visit_of(message), Clinic.objects.current()
    patient = appointment.booked_patient
    has_calendar = kind.has_calendar or _replaces_calendar(appointment, message.version)
    return render_email(
        kind.name,
        to=patient.email,
        patient=patient,
        guardian=appointment.guardian_name,
        context=email_context(appointment, kind, clinic=clinic, now=now, version=message.version),
        clinic=clinic,
        template=template,
        frame=kind.frame,
        calendar=visit_calendar(appointment=appointment, clinic=clinic, now=now) if has_calendar else None,
    )


def _replaces_calendar(appointment: Appointment, version: int) -> bool:
    """Whether an email without news replaces the patient's calendar entry: staff moved the visit silently."""
    if not was_moved_silently(appointment):
        return False
    calendars = [kind.name for kind in visit_kinds() if kind.has_calendar]
    return has_older_calendar(appointment, calendars=calendars, before=version)


def _text_values(message: Message, now: datetime) -> Mapping[str, object]:
    kind, clinic = find_visit_kind(message.kind), Clinic.objects.current()
    return placeholder_values(_visit_of(message), kind, clinic=clinic, now=now, version=message.version)


def _is_for_every_visit(appointment: Appointment, now: datetime) -> bool:
    return True


def _no_extras(appointment: Appointment, links: VisitLinks, clinic: Clinic, now: datetime) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, kw_only=True)
class VisitKind(MessageKind):
    """A kind of message about a visit.

    If its timing is before or after the visit, it is planned for every visit that `is_for` accepts.
    """

    render: Callable[[Message, TemplateText | None, datetime], Email] = _render
    relevance: Callable[[Message, datetime], str | None] = why_unwanted
    text_values: Callable[[Message, datetime], Mapping[str, object]] = _text_values
    placeholders: Mapping[str, str] = field(default_factory=lambda: PLACEHOLDERS)
    frame: str = "booking_visit"

    is_for: Callable[[Appointment, datetime], bool] = _is_for_every_visit  # evaluated when the messages are planned
    # Before a visit: not sent within this time of its start, or within half of the lead time if that is shorter.
    # After a visit: not sent later than this after it is due.
    given_up: timedelta = timedelta(0)
    goes_before_night: bool = False  # if due in quiet hours; other kinds wait until morning if still useful then

    buttons: Callable[[VisitLinks], dict[str, str]] = see_visit
    has_calendar: bool = False
    tells_changes: bool = False  # its text compares the visit with the terms that the patient knows
    extras: Callable[[Appointment, VisitLinks, Clinic, datetime], Mapping[str, object]] = _no_extras  # for its template
    text_asks_whether_coming: bool = False  # a reply of Y or C is about this visit

    def sample_values(self, sample: Sample) -> Mapping[str, object]:
        """Return the context of a preview."""
        bring = sample_clinic(sample).what_to_bring
        return {**sample_values(sample), **self.buttons(SAMPLE_LINKS), "when_beside": "", "bring": bring}


def find_visit_kind(name: str) -> VisitKind:
    """Find the kind `name`. Raises KindUnknown if there is none or it is not about a visit."""
    kind = find_kind(name)
    if not isinstance(kind, VisitKind):
        raise KindUnknown(f"{name!r} is not about a visit")
    return kind


def visit_kinds() -> list[VisitKind]:
    """Return all kinds about a visit, in the order in which they are sent around it."""
    return [kind for kind in all_kinds() if isinstance(kind, VisitKind)]


def asks_by_text(name: str) -> bool:
    """Whether texts of the kind `name` ask the patient to confirm the visit."""
    return any(kind.name == name and kind.text_asks_whether_coming for kind in visit_kinds())


def _visit_of(message: Message) -> Appointment:
    visits = Appointment.objects.select_related("patient", "service", "intake", "therapist")
    return visits.get(pk=message.subject_id)


def email_context(
    appointment: Appointment, kind: VisitKind, *, clinic: Clinic, now: datetime, version: int | None = None
) -> dict[str, Any]:
    """Return the template context of an email of `kind`: placeholders, what to bring, extras and buttons.

    Issues the links of the buttons. `version` is the message's; changes are relative to messages about earlier
    versions.
    """
    links = _links(appointment, clinic, now)
    has_things_to_bring = links.is_standing and appointment.visit_mode.is_at_clinic
    return {
        **placeholder_values(appointment, kind, clinic=clinic, now=now, version=version),
        "bring": clinic.what_to_bring if has_things_to_bring else "",
        **kind.extras(appointment, links, clinic, now),
        **kind.buttons(links),
    }


def _links(appointment: Appointment, clinic: Clinic, now: datetime) -> VisitLinks:
    is_standing = appointment.status == Appointment.Status.BOOKED
    has_open_questions = is_standing and appointment.intake and appointment.intake.progress != "done"
    return VisitLinks(
        visit=visit_url(appointment, now=now),
        intake=intake_url(appointment, now=now) if has_open_questions else "",
        booking=settings.SITE_URL + reverse("booking:services"),
        is_standing=is_standing,
        is_confirmed=appointment.confirmed_at is not None,
        is_changeable=is_standing and now < change_deadline_of(appointment, clinic=clinic),
    )


def change_terms(appointment: Appointment, links: VisitLinks, clinic: Clinic, now: datetime) -> dict[str, str]:
    """Return a note about the deadline to move or cancel online and the late fee, for `VisitKind.extras`.

    The note is empty unless the visit is booked and upcoming.
    """
    if not links.is_standing or now >= appointment.starts_at:
        return {"change_note": ""}
    if links.is_changeable:
        until = clock_of_visit(appointment, clinic=clinic).time(change_deadline_of(appointment, clinic=clinic))
        text = f"If your plans change, you can move or cancel by the link below until {until}."
    else:
        phone = format_phone(clinic.phone, clinic.country) or "us"
        text = f"It is too late to move or cancel online. If your plans change, please call {phone}."
    return {"change_note": " ".join(filter(None, [text, appointment.late_fee_text]))}


def placeholder_values(
    appointment: Appointment, kind: VisitKind, *, clinic: Clinic, now: datetime, version: int | None = None
) -> dict[str, Any]:
    """Return the values of the placeholders as of `now`.

    If the visit is canceled and the kind `tells_changes`, they show the terms that the patient was last notified of.
    After a move that staff did not announce, every kind tells the changes.
    """
    tells_changes = kind.tells_changes or was_moved_silently(appointment)
    before = None if kind.name in CLINIC_NEWS else version  # the version of news about the clinic is a SEQUENCE
    known = known_terms(appointment, before=before) if tells_changes else None
    changes = change_values(appointment, known, clinic=clinic)
    if known is not None and appointment.status == Appointment.Status.CANCELLED:
        appointment = with_terms(appointment, known)
    clock = clock_of_visit(appointment, clinic=clinic)
    time = clock.time(appointment.starts_at)
    return {
        "clinic": clinic,
        "phone": format_phone(clinic.phone, clinic.country) or "us",  # “call us”
        "reference": appointment.reference,
        "when": time,
        "when_beside": clock.format_beside(appointment.starts_at),
        "day": time.day,
        "time": time.clock_and_zone,
        "day_word": format_near_day(appointment.starts_at, now=now, zone=clock.zone),
        "place": format_place(appointment.visit_mode, clinic),
        "new_address": short_address(clinic),
        "therapist": appointment.therapist,
        **changes,
    }
