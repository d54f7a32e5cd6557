"""How much one stranger may keep for themselves: enough for a family and a running club, not for a script.

Counted from the visits, holds and wait list entries themselves, so there is no second set of counters to go stale. A
refusal tells of an address only that it has been used as often as it may within a day.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower

from booking.models import Appointment, WaitListEntry
from booking.refusals import TooManyBookings
from clinic.practice.batches import BATCH, lock_batch
from clinic.practice.models import Clinic

HOLDS_AT_ONCE = 5  # by one network: who keeps no cookies can keep more than one time
DAY = timedelta(days=1)
Status = Appointment.Status


def require_few_holds(*, network: str, clinic: Clinic, now: datetime) -> None:
    """Raises TooManyBookings if this network (a mark of `clinic.practice.networks`) keeps as many times as it may."""
    if not network or not clinic.bookings_a_day_per_network:
        return
    held = Appointment.objects.filter(network=network, status=Status.HELD, hold_expires_at__gt=now)
    if held.count() >= HOLDS_AT_ONCE:
        raise TooManyBookings


def require_few_bookings(*, network: str, email: str, clinic: Clinic, now: datetime) -> None:
    """Raises TooManyBookings if this network or this e-mail address has booked as often as it may in the last 24 hours.

    What was cancelled again counts too: each booking sends a mail. Staff, who have no `network`, book as they like.
    """
    if not network:
        return
    lately = Appointment.objects.exclude(network="").exclude(status=Status.HELD).filter(created_at__gt=now - DAY)
    _require_few(lately, network=network, email=email, clinic=clinic)


def require_few_joins(*, network: str, email: str, clinic: Clinic, now: datetime) -> None:
    """Raises TooManyBookings if this network or this e-mail address has been put on the wait list in the last 24 hours
    as often as it may book: each time sends a mail, and anybody can type any address."""
    if not network:
        return
    lately = WaitListEntry.objects.exclude(network="").filter(created_at__gt=now - DAY)
    _require_few(lately, network=network, email=email, clinic=clinic)


@transaction.atomic
def clear_expired_network_marks(*, now: datetime, limit: int = BATCH) -> int:
    """Take the network marks off at most `limit` visits and wait list entries older than a day. Returns how many.

    No count goes back further, so nothing needs to know later from which network a visit was booked.
    """
    cleared = 0
    for model in (Appointment, WaitListEntry):
        marked = model.objects.filter(created_at__lte=now - DAY).exclude(network="")
        keys = lock_batch(marked, limit=limit - cleared)
        cleared += model.objects.filter(pk__in=keys).update(network="")
    return cleared


def _require_few(lately: QuerySet, *, network: str, email: str, clinic: Clinic) -> None:
    most = clinic.bookings_a_day_per_network
    if most and lately.filter(network=network).count() >= most:
        raise TooManyBookings
    most = clinic.bookings_a_day_per_address
    theirs = lately.alias(address=Lower("patient__email")).filter(address=Lower(Value(email.strip())))
    if most and theirs.count() >= most:
        raise TooManyBookings
