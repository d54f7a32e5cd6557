"""Refusals by the domain functions. Each is shown as a page that says what to do next."""

from enum import StrEnum

from booking.models import Appointment
from booking.models.service import Terms


class BookingRefused(Exception):
    """Base class of the refusals. Nothing was written."""


class SlotTaken(BookingRefused):
    """Another visit or a live hold overlaps this time."""


class NotOfferedBecause(StrEnum):
    """The rule that hides a time."""

    NOTICE = "notice"  # too soon
    HORIZON = "horizon"  # too far ahead
    HOURS = "hours"  # outside opening hours, or not one of the service's start times
    KEPT = "kept"  # open, but by phone only or reserved until the day before
    CAP = "cap"  # the daily or weekly cap is reached
    SERVICE = "service"  # not bookable online or in this mode, or the therapist is inactive or does not offer it
    OWN_VISIT = "own_visit"  # the patient has another visit then


class OffScheduleBecause(StrEnum):
    """Why the schedule would not offer a visit; stored once staff accept it."""

    INACTIVE = "inactive"  # the therapist is inactive
    THERAPIST = "therapist"  # the therapist does not offer this service
    HIDDEN = "hidden"  # the service is hidden
    MODE = "mode"  # the service is no longer offered in this mode
    HOURS = "hours"  # outside the opening hours
    CLOSED = "closed"  # in blocked time
    TWICE = "twice"  # the patient has another visit then
    ALONE = "alone"  # a follow-up without its earlier visit


class SlotNotOffered(BookingRefused):
    """Rules hide this time. `reasons` are the broken rules that were found, and `reason` is the first of them.

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
    """The form showed a length, price or late fee that differs from `terms`, the hold's or else the service's."""

    def __init__(self, terms: Terms) -> None:
        super().__init__("the length, price or late fee changed")
        self.terms = terms


class BusyTryAgain(BookingRefused):
    """A lock timed out or deadlocked, or another request has just moved the visit or given it another patient.

    The request can be retried.
    """


class HoldNotRenewable(BookingRefused):
    """The hold no longer exists, has become a visit, or was renewed before."""


class TooLateToUndo(BookingRefused):
    """The cancellation or move can no longer be undone."""


class TooLateToChange(BookingRefused):
    """The act is no longer possible: the time for it is over, or the visit is in a state that does not allow it."""


class LengthNotOffered(BookingRefused):
    """The service does not allow this length."""


class NotMovedOnline(BookingRefused):
    """The service is not booked online, so the patient cannot choose another time there."""


class TimeNotBlocked(BookingRefused):
    """The visit's time is not blocked, so its patient has no reason to choose another."""


class VisitChanged(BookingRefused):
    """The visit was changed after the page was rendered."""


class TimeClosed(BookingRefused):
    """The time to which the visit would be restored has been closed since."""


class OfferOver(BookingRefused):
    """The offer is no longer valid.

    The entry is no longer waiting, or the patient has a visit at least as early, or can no longer move their later
    visit online.
    """


class VisitCancelled(BookingRefused):
    """The visit is canceled, so the act is refused."""


class VisitNotStarted(BookingRefused):
    """The visit has not begun, so it cannot be a no-show."""


class ArrivalTooEarly(BookingRefused):
    """An arrival cannot be marked before the day of the visit, in the clinic's zone."""


class NoLateFee(BookingRefused):
    """No late fee is due: none was agreed, or the visit is neither a no-show nor canceled late."""


class AddressProven(BookingRefused):
    """The patient is known (such as after a mailed link was used) or merged, so only staff can change the address."""


class MailOnItsWay(BookingRefused):
    """There is no confirmation to resend, or one is pending, or it was resent as often as allowed."""


class VisitsInTheWay(BookingRefused):
    """`visits` are booked in the time to be blocked. Blocking it does not cancel them."""

    def __init__(self, visits: list[Appointment]) -> None:
        super().__init__(f"{len(visits)} visits")
        self.visits = visits
