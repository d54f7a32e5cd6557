"""Refusals of the domain functions. Each becomes a page that says what to do next."""

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
    HOURS = "hours"  # outside opening hours, or not on the service's steps
    KEPT = "kept"  # open, but by phone only or reserved until the day before
    CAP = "cap"  # the daily or weekly cap is reached
    SERVICE = "service"  # not booked online, not by this therapist, or not in this mode
    OWN_VISIT = "own_visit"  # the patient has another visit then


class SlotNotOffered(BookingRefused):
    """Rules hide this time: `reasons`, of which `reason` is the first.

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
    """The form showed another length, price or late fee than the current `terms`."""

    def __init__(self, terms: Terms) -> None:
        super().__init__("the length, price or late fee changed")
        self.terms = terms


class BusyTryAgain(BookingRefused):
    """Timed out on the lock of a schedule, a patient or a visit."""


class HoldNotRenewable(BookingRefused):
    """The hold is gone, or was renewed before."""


class TooLateToUndo(BookingRefused):
    """The time to undo a cancellation or a move is over."""


class TooLateToChange(BookingRefused):
    """The visit is over, or so near that the patient has to call."""


class VisitChanged(BookingRefused):
    """The visit was changed after the page was rendered."""


class TimeClosed(BookingRefused):
    """The clinic closed the former time of the visit."""


class OfferOver(BookingRefused):
    """The offer has ended: the patient left the wait list or has a visit as early."""


class VisitCancelled(BookingRefused):
    """The visit is cancelled, and the act needs one that is not."""


class VisitNotStarted(BookingRefused):
    """The visit has not begun, so it cannot be a no-show."""


class ArrivalTooEarly(BookingRefused):
    """The day of the visit, in the clinic's zone, has not come: an arrival cannot be marked before it."""


class AddressProven(BookingRefused):
    """A link from this mailbox was used, so that only staff can change the address."""


class MailOnItsWay(BookingRefused):
    """The visit's mail is being sent, or was resent as often as allowed."""


class VisitsInTheWay(BookingRefused):
    """`visits` are booked in the time to be blocked. Blocking it does not cancel them."""

    def __init__(self, visits: list[Appointment]) -> None:
        super().__init__(f"{len(visits)} visits")
        self.visits = visits
