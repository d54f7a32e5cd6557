"""Why something may not happen to a visit. Raised by domain functions; each becomes a page that says what to do next."""

from enum import StrEnum

from booking.models import Appointment
from booking.models.service import Terms


class BookingRefused(Exception):
    """A rule or another visit prevents it; nothing was written."""


class SlotTaken(BookingRefused):
    """Another visit or hold has this time."""


class NotOfferedBecause(StrEnum):
    """Which rule hides a time."""

    NOTICE = "notice"  # too soon
    HORIZON = "horizon"  # too far ahead
    HOURS = "hours"  # outside opening hours, or not on the service's steps
    KEPT = "kept"  # open, but by phone only or kept back until the day before
    CAP = "cap"  # enough of these on that day or in that week
    SERVICE = "service"  # not bookable online, by this therapist, or in this way
    OWN_VISIT = "own_visit"  # the patient has another visit then


class SlotNotOffered(BookingRefused):
    """The rules do not offer this time; `reasons` says which, `reason` is the first of them.

    `own_visit` is the patient's other visit at that time, with OWN_VISIT. Show it only to those who may see that visit.
    """

    def __init__(self, *reasons: NotOfferedBecause, own_visit: Appointment | None = None) -> None:
        super().__init__(", ".join(reasons))
        self.reason, self.reasons, self.own_visit = reasons[0], reasons, own_visit


class NeedsEarlierVisit(BookingRefused):
    """A follow-up needs an earlier visit of the patient, whom a mailed link has shown or whom staff know."""


class PhoneOfAnother(BookingRefused):
    """The phone number is that of another patient of the same name; neither has an e-mail address."""


class TermsChanged(BookingRefused):
    """The form showed another length, price or late fee than `terms`, those of now."""

    def __init__(self, terms: Terms) -> None:
        super().__init__("the length, price or late fee changed")
        self.terms = terms


class BusyTryAgain(BookingRefused):
    """Another request held the therapist's schedule, the patient or the visit for longer than we wait."""


class HoldNotRenewable(BookingRefused):
    """The hold is gone, or was made longer once already."""


class TooLateToUndo(BookingRefused):
    """The moment for taking a cancellation back is over."""


class TooLateToChange(BookingRefused):
    """The visit is over, or so near that the clinic wants a call."""


class VisitChanged(BookingRefused):
    """The visit was changed after the page that asked was made."""


class TimeClosed(BookingRefused):
    """The clinic closed the time after the visit had left it."""


class OfferOver(BookingRefused):
    """The offer has ended: the person has left the list, or comes as early anyway."""


class VisitCancelled(BookingRefused):
    """What was asked needs a visit that stands; this one was cancelled."""


class VisitNotStarted(BookingRefused):
    """A visit that has not begun cannot be a no-show."""


class ArrivalTooEarly(BookingRefused):
    """An arrival can be marked from the visit's day on, by the clinic's calendar."""


class AddressProven(BookingRefused):
    """The patient has used a link from this mailbox; staff can still change the address."""


class MailOnItsWay(BookingRefused):
    """The visit's mail is still being sent, or was sent again as often as it may be."""


class VisitsInTheWay(BookingRefused):
    """Time is to be blocked in which people are booked: `visits`. Blocking it does not cancel them."""

    def __init__(self, visits: list[Appointment]) -> None:
        super().__init__(f"{len(visits)} visits")
        self.visits = visits
