"""Refusals as sentences for staff, and in their forms."""

from collections.abc import Mapping
from datetime import datetime

from booking.admin.times import local_time
from booking.forms.staff import MayBreakRules
from booking.models import Service
from booking.schedule.errors import (
    ArrivalTooEarly,
    BookingRefused,
    BusyTryAgain,
    LengthNotOffered,
    NeedsEarlierVisit,
    NoLateFee,
    NotMovedOnline,
    NotOfferedBecause,
    PhoneOfAnother,
    SlotNotOffered,
    SlotTaken,
    TimeClosed,
    TimeNotBlocked,
    TooLateToChange,
    TooLateToUndo,
    VisitCancelled,
    VisitChanged,
    VisitNotStarted,
)
from booking.schedule.rules import is_short_notice
from clinic.practice.models import Clinic

REFUSALS = {
    NeedsEarlierVisit: "A follow-up needs an earlier visit of the patient.",
    LengthNotOffered: "The service does not allow this length. Choose another.",
    NotMovedOnline: "This service is not booked online, so the patient cannot choose another time. Call them.",
    PhoneOfAnother: "Another patient without an email address has this name and this phone number. Choose that patient.",
    NoLateFee: "No late fee is due for this visit: none was agreed, or it was neither missed nor canceled late.",
    TooLateToChange: "This visit can’t be changed like this: it is over, in progress or done, was never booked, or is "
    "marked as a no-show. Undo the latest mark first.",
    TooLateToUndo: "It is too late to undo this: the patient has been told. Book the visit again.",
    VisitCancelled: "This visit is canceled.",
    VisitChanged: "This visit was changed after you opened the page. Nothing was done.",
    VisitNotStarted: "This visit has not started yet.",
    TimeNotBlocked: "This time is not blocked, so the visit can stay. To ask the patient for another time, block this one.",
    TimeClosed: "This time was blocked after the visit was canceled.",
    ArrivalTooEarly: "This visit is on a later day. Mark the arrival on that day.",
    SlotTaken: "This time overlaps another visit, or the time kept free before or after it.",
    BusyTryAgain: "Someone else is changing this schedule or this visit right now. Nothing was done. Try again.",
}
REFUSALS_OF_AN_ACT: Mapping[str, Mapping[type[BookingRefused], str]] = {
    "undo-move": {
        TooLateToUndo: "It is too late to undo this move. Move the visit back instead.",
        TimeClosed: "The earlier time was blocked after the move. The visit stays where it is.",
        SlotTaken: "The earlier time has been taken since. The visit stays where it is.",
    },
    "silence-move": {TooLateToUndo: "It is too late: the patient has been told of the move, or it was undone."},
}
NOT_OFFERED = {
    NotOfferedBecause.NOTICE: "This is sooner than the minimum notice allows.",
    NotOfferedBecause.HORIZON: "This is further ahead than visits can be booked.",
    NotOfferedBecause.HOURS: "This is outside the opening hours, or not on one of the service's starting times.",
    NotOfferedBecause.KEPT: "These hours are booked by phone only, or held back until the day before.",
    NotOfferedBecause.CAP: "The therapist has reached the limit for this service on that day or in that week.",
    NotOfferedBecause.OWN_VISIT: "The patient has another visit at this time.",
    NotOfferedBecause.SERVICE: "The therapist does not offer this service in this way, or it is not booked online.",
}


def format_refusal(refusal: BookingRefused) -> str:
    """Return the reason for a refusal, as one or more sentences."""
    return " ".join(format_broken_rules(refusal)) if isinstance(refusal, SlotNotOffered) else REFUSALS[type(refusal)]


def format_broken_rules(refusal: SlotNotOffered, *, past: str = "") -> list[str]:
    """Return a sentence for each broken rule. For a past time, `past` replaces the sentence about minimum notice."""
    sentences = NOT_OFFERED | ({NotOfferedBecause.NOTICE: past} if past else {})
    return [sentences[reason] for reason in refusal.reasons]


def show_refusal(form: MayBreakRules, refusal: BookingRefused, *, now: datetime) -> None:
    """Add the refusal to the valid form: broken rules with the checkbox that overrides them, or an error of the start."""
    if isinstance(refusal, SlotNotOffered):
        form.refuse_for_rules(refusal.reasons, _rules_of(refusal, form.cleaned_data["starts_at"], now))
    else:
        form.add_error("starts_at", format_refusal(refusal))


def show_broken_rules(form: MayBreakRules, refusal: SlotNotOffered, *, starts_at: datetime, now: datetime) -> None:
    """Show the rules that the time in the form breaks, before staff send it."""
    form.show_rules(refusal.reasons, _rules_of(refusal, starts_at, now), starts_at)


def _rules_of(refusal: SlotNotOffered, starts_at: datetime, now: datetime) -> list[str]:
    past = f"That is in the past: {local_time(starts_at).short}." if starts_at <= now else ""
    return format_broken_rules(refusal, past=past)


def format_notice(service: Service, starts_at: datetime, *, now: datetime) -> str:
    """Return a note that patients could not book this time so soon; empty if they could, or if it is past."""
    is_short = is_short_notice(service, starts_at, clinic=Clinic.objects.current(), now=now)
    return "This is sooner than patients can book online." if is_short else ""
