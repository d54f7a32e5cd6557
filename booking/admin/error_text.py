"""Refusals as sentences for staff."""

from booking.schedule.errors import (
    ArrivalTooEarly,
    BookingRefused,
    BusyTryAgain,
    NeedsEarlierVisit,
    NotOfferedBecause,
    PhoneOfAnother,
    SlotNotOffered,
    SlotTaken,
    TimeClosed,
    TooLateToChange,
    TooLateToUndo,
    VisitCancelled,
    VisitChanged,
    VisitNotStarted,
)

REFUSALS = {
    NeedsEarlierVisit: "A follow-up needs an earlier visit of the patient.",
    PhoneOfAnother: "Another patient without an email address has this name and this phone number. Choose that patient.",
    TooLateToChange: "The visit is over, was never booked, or is marked as a no-show. Undo the mark first.",
    TooLateToUndo: "The patient has been told by now. Book the visit anew.",
    VisitCancelled: "The visit is cancelled.",
    VisitChanged: "The visit was changed after this page was loaded. Nothing was done.",
    VisitNotStarted: "The visit has not begun yet.",
    TimeClosed: "This time was blocked after the visit was cancelled.",
    ArrivalTooEarly: "The visit is on a later day. You can mark the arrival on that day.",
    SlotTaken: "Another visit, or its minutes to prepare or turn over, lies in this time.",
    BusyTryAgain: "Someone else is changing this schedule or this visit right now. Nothing was done. Please try again.",
}
NOT_OFFERED = {
    NotOfferedBecause.NOTICE: "This is sooner than the minimum notice allows.",
    NotOfferedBecause.HORIZON: "This is further ahead than can be booked.",
    NotOfferedBecause.HOURS: "This is outside the opening hours, or not on one of the service's starting times.",
    NotOfferedBecause.KEPT: "These hours are for calls only, or kept back until the day before.",
    NotOfferedBecause.CAP: "The therapist has enough of these on that day or in that week.",
    NotOfferedBecause.OWN_VISIT: "The patient has another visit at this time.",
    NotOfferedBecause.SERVICE: "This therapist does not do this service in this way, or it is not offered online.",
}


def format_refusal(refusal: BookingRefused) -> str:
    """Say why it was refused."""
    return " ".join(format_broken_rules(refusal)) if isinstance(refusal, SlotNotOffered) else REFUSALS[type(refusal)]


def format_broken_rules(refusal: SlotNotOffered, *, past: str = "") -> list[str]:
    """Return a sentence for each broken rule; `past` replaces the one about the minimum notice for a past time."""
    sentences = NOT_OFFERED | ({NotOfferedBecause.NOTICE: past} if past else {})
    return [sentences[reason] for reason in refusal.reasons]
