"""Sentences for the patient about a changed visit."""

from copy import copy
from dataclasses import replace
from datetime import timedelta

from booking.messages.last_told import VisitTerms, current_terms
from booking.models import Appointment
from booking.schedule.clocks import clock_of_mode
from booking.schedule.local_time import LocalTime
from clinic.practice.models import Clinic, Therapist

LONGEST_NAME_IN_A_TEXT = 12


def change_values(appointment: Appointment, known: VisitTerms | None, *, clinic: Clinic) -> dict[str, object]:
    """Return the placeholders of a message about a change.

    `change` is for the subject, `news` for a text, and `changes` is a list of sentences. `known` are the terms that the
    patient was last notified of. If they are None or the current ones, the message only says that the visit is moved.
    """
    now = current_terms(appointment)
    is_cancelled = appointment.status == Appointment.Status.CANCELLED
    return {
        "change": _subject(known, now),
        "news": _text(known, now, _time_of(appointment, now, clinic)),
        "changes": _undone(appointment, known, clinic) if is_cancelled else change_lines(appointment, known, clinic),
    }


def change_lines(appointment: Appointment, known: VisitTerms | None, clinic: Clinic) -> list[str]:
    """Return a sentence for each of time, therapist, mode and length that differs from `known`; none if it is None."""
    now = current_terms(appointment)
    lines: list[str] = []
    if known is None:
        return lines
    if known.starts_at != now.starts_at:
        before, after = _time_of(appointment, known, clinic), _time_of(appointment, now, clinic)
        lines.append(f"Moved from {before} to {after}.")
    if known.therapist != now.therapist:
        lines.append(f"With {now.therapist} instead of {known.therapist}.")
    if known.mode != now.mode:
        lines.append(f"{now.mode.how.capitalize()} instead of {known.mode.how}.")
    if known.minutes != now.minutes:
        lines.append(f"{now.minutes} minutes instead of {known.minutes}, until {_end_of(appointment, now, clinic)}.")
    return lines


def format_move(appointment: Appointment, before: VisitTerms, clinic: Clinic) -> str:
    """Return a sentence with the former and the current time and therapist, or length if only that has changed."""
    now = current_terms(appointment)
    if replace(before, minutes=now.minutes) == now:
        return " ".join(change_lines(appointment, before, clinic))
    times = f"{_time_of(appointment, before, clinic)}", f"{_time_of(appointment, now, clinic)}"
    if before.therapist == now.therapist:
        return f"Moved from {times[0]} to {times[1]}, with {now.therapist}."
    return f"Moved from {times[0]} with {before.therapist} to {times[1]} with {now.therapist}."


def with_terms(appointment: Appointment, terms: VisitTerms) -> Appointment:
    """Return an unsaved copy of the visit with these terms. Its blocked time is not adjusted."""
    other = copy(appointment)
    other.starts_at, other.therapist, other.mode = terms.starts_at, terms.therapist, terms.mode.name
    other.ends_at = terms.starts_at + timedelta(minutes=terms.minutes)
    return other


def _undone(appointment: Appointment, known: VisitTerms | None, clinic: Clinic) -> list[str]:
    now = current_terms(appointment)
    if known is None or known == now:
        return []
    time = _time_of(appointment, now, clinic)
    return [f"It was just moved to {time}, with {now.therapist}. That is canceled too."]


def _subject(known: VisitTerms | None, now: VisitTerms) -> str:
    if known is None or known == now or (known.starts_at != now.starts_at and known.therapist == now.therapist):
        return "Your visit is moved"
    if known.starts_at != now.starts_at:
        return f"Your visit is moved, now with {now.therapist.name}"
    if known.therapist == now.therapist and known.mode == now.mode:
        return f"Your visit now takes {now.minutes} minutes"
    return f"Your visit is now {f'with {now.therapist.name}' if known.therapist != now.therapist else now.mode.how}"


def _text(known: VisitTerms | None, now: VisitTerms, time: LocalTime) -> str:
    if known is None or known == now or known.starts_at != now.starts_at:
        length = f", {now.minutes} min" if known and known.minutes != now.minutes else ""
        return f"we moved your visit to {time.day}, {time.clock_and_zone}{length}"
    if known.therapist == now.therapist and known.mode == now.mode:
        return f"your visit on {time.day}, {time.clock_and_zone} now takes {now.minutes} min"
    change = f"with {_short_name(now.therapist)}" if known.therapist != now.therapist else now.mode.how
    return f"you are now {change} on {time.day}, {time.clock_and_zone}"


def _short_name(therapist: Therapist) -> str:
    return therapist.name.split()[0][:LONGEST_NAME_IN_A_TEXT]


def _end_of(appointment: Appointment, terms: VisitTerms, clinic: Clinic) -> str:
    clock = clock_of_mode(terms.mode, zone_name=appointment.visitor_time_zone, clinic=clinic)
    return clock.time(terms.starts_at + timedelta(minutes=terms.minutes)).clock_and_zone


def _time_of(appointment: Appointment, terms: VisitTerms, clinic: Clinic) -> LocalTime:
    """Return the start of `terms` in the zone shown to the patient."""
    clock = clock_of_mode(terms.mode, zone_name=appointment.visitor_time_zone, clinic=clinic)
    return clock.time(terms.starts_at)
