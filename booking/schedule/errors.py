"""Refusals by the domain functions. Each is shown as a page that says what to do next."""

from enum import StrEnum

from booking.models import Appointment
from booking.models.service import Terms


class BookingRefused(Exception):
    """Base class of refusals by a rule or another visit. Nothing was written."""


class SlotTaken(BookingRefused):
    """Another visit or a live hold overlaps this time."""


class NotOfferedBecause(StrEnum):
    """The rule that hides a time."""

    NOTICE = "notice"  # too soon
    HORIZON = "horizon"  # too far ahead
    HOURS = "hours"  # outside opening hours, or not one of the service's start times
    KEPT = "kept"  # open, but by phone only or reserved until the day before
    CAP = "cap"  # the daily or weekly cap is reached
    SERVICE = "service"  # not bookable online, not offered by this therapist, or not in this mode
    OWN_VISIT = "own_visit"  # the patient has another visit then


class SlotNotOffered(BookingRefused):
    """Rules hide this time. `reasons` are all of them, and `reason` is the first.

    For OWN_VISIT, `own_visit` is the patient's other visit. Show it only to readers who may see that visit.
    """

    def __init__(self, *reasons: NotOfferedBecause, own_visit: Appointment | None = None) -> None:
        super().__init__(", ".join(reasons))
        self.reason, self.reasons, self.own_visit = reasons[0], reasons, own_visit


class NeedsEarlierVisit(BookingRefused):
    """The service is a follow-up, and the patient is not known to have an earlier visit."""


class PhoneOfAnother(BookingRefused):
    """The phone number is that of another patient of the same name; neither has an email address."""


class TermsChanged(BookingRefused):
    """The form showed a length, price or late fee that differs from the current `terms`."""

    def __init__(self, terms: Terms) -> None:
        super().__init__("the length, price or late fee changed")
        self.terms = terms


class BusyTryAgain(BookingRefused):
    """A lock on a schedule, a patient or a visit timed out or deadlocked, or the visit was moved or merged meanwhile.

    The request can be retried.
    """


class HoldNotRenewable(BookingRefused):
    """The hold no longer exists, or was renewed before."""


class TooLateToUndo(BookingRefused):
    """The time to undo a cancellation or a move is over."""


class TooLateToChange(BookingRefused):
    """The visit is over, or so near that the patient has to call."""


class VisitChanged(BookingRefused):
    """The visit was changed after the page was rendered."""


class TimeClosed(BookingRefused):
    """The clinic closed the former time of the visit."""


class OfferOver(BookingRefused):
    """The offer is no longer valid.

    The patient left the wait list, has a visit at least as early, or can no longer move their later visit online.
    """


class VisitCancelled(BookingRefused):
    """The visit is canceled, so the act is refused."""


class VisitNotStarted(BookingRefused):
    """The visit has not begun, so it cannot be a no-show."""


class ArrivalTooEarly(BookingRefused):
    """An arrival cannot be marked before the day of the visit, in the clinic's zone."""


class AddressProven(BookingRefused):
    """A link mailed to this address was used, so only staff can change the address."""


class MailOnItsWay(BookingRefused):
    """The visit's email is being sent, or was resent as often as allowed."""


class VisitsInTheWay(BookingRefused):
    """`visits` are booked in the time to be blocked. Blocking it does not cancel them."""

    def __init__(self, visits: list[Appointment]) -> None:
        super().__init__(f"{len(visits)} visits")
        self.visits = visits
