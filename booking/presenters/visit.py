"""Code shared by the pages behind a visit's link: the decorator, the template context, the page for a stale form."""

from datetime import datetime
from functools import partial

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from booking.actions.change import (
    is_changeable,
    is_move_back,
    is_undoable,
    terms_before_move,
)
from booking.forms.version import read_version
from booking.messages.change_text import format_move
from booking.messages.last_told import Kind, known_terms, news_of, terms_at, was_moved_silently
from booking.models import Appointment, WaitListEntry
from booking.models.visit_states import HERE_FROM, UNDO_FOR, State, can_say_here
from booking.schedule.clocks import Clock, clock_of_visit, visit_time
from booking.schedule.errors import (
    BookingRefused,
    BusyTryAgain,
)
from booking.schedule.local_time import format_guardian_note, format_place
from booking.schedule.rules import change_deadline_of, is_asked_to_move
from booking.wait_list.entries import unexpired_entries
from clinic.outbox.texts.providers import has_texts
from clinic.practice.access.proof import LinkRequest, patient_link
from clinic.practice.models import Clinic, Patient, PatientLink, Proof
from clinic.practice.people.first_names import first_name
from clinic.practice.registry.blocks import read_blocks
from clinic.practice.values.mail_addresses import readable_address
from clinic.practice.values.phone import format_phone


def _find_visit(link: PatientLink) -> Appointment | None:
    visits = Appointment.objects.select_related("service", "therapist", "patient", "intake")
    return visits.filter(pk=link.subject_id, patient=link.patient_id).first()


visit_link = partial(patient_link, load=_find_visit, busy=(BusyTryAgain, "booking/busy.html"))


def asked_version(request: LinkRequest) -> int:
    """Return the version of the visit in the submitted form, parsed by `read_version`."""
    return read_version(request.POST.get("version", ""))


def changed_meanwhile(request: LinkRequest, appointment: Appointment, now: datetime, *, wanted: str) -> HttpResponse:
    """Respond 409 to a stale form: show the visit as it is now, and a link to the action that was `wanted`."""
    appointment = _find_visit(request.link) or appointment
    context = {**visit_context(request, appointment, now), "wanted": wanted}
    return render(request, "booking/changed_meanwhile.html", context, status=409)


def _change_context(appointment: Appointment, clinic: Clinic, now: datetime) -> dict:
    """Return the context of a booked visit's last change, if it was a move or an undo within the last `UNDO_FOR`."""
    kinds = (Kind.MOVED, Kind.RESTORED)
    changes = appointment.events.filter(version=appointment.version, kind__in=kinds, at__gt=now - UNDO_FOR)
    last = changes.last() if appointment.status == Appointment.Status.BOOKED else None
    if last is None or last.kind == Kind.RESTORED:
        return {"is_restored": last is not None}
    if is_move_back(appointment, last):
        return {"is_move_undone": True}
    before = terms_at(appointment, appointment.version - 1)
    return {
        "move_text": format_move(appointment, before, clinic) if before else "",
        "can_undo_move": terms_before_move(appointment, now=now) is not None,
    }


def _untold_move(appointment: Appointment, clinic: Clinic) -> str:
    """Return a sentence about a move that staff did not announce, until a message shows the new time; else empty."""
    before = known_terms(appointment) if was_moved_silently(appointment) else None
    return format_move(appointment, before, clinic) if before else ""


def _number_to_call(appointment: Appointment, clinic: Clinic, *, is_mailed: bool) -> str:
    """Return the patient's phone number, formatted, for a visit whose mode needs one. Empty for other modes.

    A link that was not emailed shows the number only if it was typed to book this visit.
    """
    patient = appointment.booked_patient
    is_typed_here = patient.is_provisional and patient.created_at == appointment.created_at
    return format_phone(appointment.number_to_call, clinic.country) if is_mailed or is_typed_here else ""


def _here_context(appointment: Appointment, clock: Clock, now: datetime) -> dict:
    """Return whether the patient can say "I'm here", has said so, or is known to be here; all False after the end."""
    is_open = appointment.visit_mode.is_at_clinic and now < appointment.ends_at
    state, is_time = appointment.state, can_say_here(starts_at=appointment.starts_at, now=now)
    has_said = appointment.here_at is not None and state == State.BOOKED
    return {
        "can_say_here": is_open and is_time and state == State.BOOKED and not has_said,
        "has_said_here": is_open and has_said,
        "is_here": is_open and (has_said or state == State.ARRIVED),
        "here_from": clock.time(appointment.starts_at - HERE_FROM) if is_open else None,
    }


def visit_context(request: LinkRequest, appointment: Appointment, now: datetime) -> dict:
    """Return the template context of a visit's pages for the holder of `request.link`.

    For a link that was not emailed, it contains no patient details except those typed to book this visit.
    """
    is_mailed = request.proof >= Proof.MAILED
    clinic, patient = Clinic.objects.current(), appointment.booked_patient
    clock = clock_of_visit(appointment, clinic=clinic)
    is_over = appointment.ends_at <= now or appointment.state == State.DONE
    is_booked = appointment.status == Appointment.Status.BOOKED and not is_over
    is_ahead = appointment.is_ahead(now)
    called_at = _number_to_call(appointment, clinic, is_mailed=is_mailed)
    return {
        "token": request.token,
        "is_mailed": is_mailed,
        "is_unproven": patient.is_provisional and is_mailed,
        "can_correct": patient.is_provisional and not is_mailed and is_ahead,
        "address": readable_address(patient.email) if is_mailed or patient.is_provisional else "",
        "first_name": first_name(patient.name) if is_mailed else "",
        "appointment": appointment,
        "service": appointment.service,
        "clinic": clinic,
        "time": clock.time(appointment.starts_at),
        "time_beside": clock.format_beside(appointment.starts_at),
        "place": format_place(appointment.visit_mode, clinic, number=called_at),
        "called_at": called_at,
        "has_texts": has_texts(),
        "mode": appointment.visit_mode,
        "minor_note": format_guardian_note(appointment),
        "is_cancelled": appointment.status == Appointment.Status.CANCELLED,
        "is_booked": is_booked,
        "is_ahead": is_ahead,
        **_here_context(appointment, clock, now),
        "mail_news": news_of(appointment) if is_ahead else None,
        "untold_move": _untold_move(appointment, clinic) if is_ahead else "",
        "is_asked_to_move": is_ahead and is_asked_to_move(appointment),
        "can_undo": is_undoable(appointment, now=now),
        "can_change": is_changeable(appointment, clinic=clinic, now=now),
        "changeable_until": clock.time(change_deadline_of(appointment, clinic=clinic)),
        "blocks": SimpleLazyObject(lambda: read_blocks(request, appointment, now=now)),  # one of the pages shows them
        **_change_context(appointment, clinic, now),
    }


def own_visit_context(refusal: BookingRefused, clinic: Clinic) -> dict:
    """Return `named_visit_context` of the patient's other visit that caused the refusal, if any."""
    return named_visit_context(getattr(refusal, "own_visit", None), clinic)


def named_visit_context(visit: Appointment | None, clinic: Clinic) -> dict:
    """Return the context of the patient's other `visit`, for pages that only the patient can open. Empty if None."""
    return {"own_visit": visit, "own_visit_time": visit_time(visit, clinic)} if visit else {}


def waiting_entry(appointment: Appointment, *, now: datetime) -> WaitListEntry | None:
    """Find the wait list entry of this visit's patient for the same service, under a known or a provisional row."""
    patient = appointment.booked_patient
    people = Patient.objects.same_person_as(patient)
    entries = unexpired_entries(now=now).filter(patient__in=people, service=appointment.service_id)
    return entries.order_by("patient__is_provisional").first()
