"""A time kept for somebody who is still typing: a real row that blocks, for ten minutes, and once for ten more.

The address of the form carries a token derived from the row's own random key, so a reload finds the hold again and
nobody else can use it. A hold that ran out blocks nobody, by a comparison made under the diary's lock; its row stays
until somebody wants the time, a day at most.
"""

import base64
import uuid
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac

from booking.models import Appointment
from booking.schedule.errors import BusyTryAgain, HoldNotRenewable
from booking.schedule.locking import locked_schedules
from booking.schedule.references import free_reference
from booking.schedule.rules import require_free, require_untaken
from booking.schedule.slots import Slot
from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import Clinic, Therapist

HOLD = timedelta(minutes=10)
RENEWABLE_FOR = timedelta(days=1)  # after it ran out: a form that was left open overnight still finds its hold


def hold_time(
    *,
    slot: Slot,
    idempotency_key: uuid.UUID,
    instead_of: Appointment | None = None,
    now: datetime,
) -> Appointment:
    """Keep a time for ten minutes. The same key for the same time, as from a double click, is the same hold.

    `instead_of` is the hold that the same visitor has already: it is released in the transaction that places the new one, so
    it stays if the new time cannot be had. Asked for the very time that it keeps, it is returned.
    Raises SlotTaken, SlotNotOffered (with the reason) or BusyTryAgain; then nothing was written.
    """
    service, therapist = slot.service, slot.therapist
    own = Q(idempotency_key=idempotency_key) | Q(pk=instead_of.pk if instead_of else None)
    look_first = partial(require_untaken, slot=slot, own=own, now=now)
    therapists = {therapist.pk, instead_of.therapist_id if instead_of else therapist.pk}
    with locked_schedules(therapists, look_first=look_first):
        if instead_of is not None:
            before = Appointment.objects.filter(pk=instead_of.pk).first()
            if before is not None and keeps(before, slot=slot, now=now):
                return before
            release_hold(instead_of)
        earlier = Appointment.objects.filter(idempotency_key=idempotency_key).first()
        if earlier and keeps(earlier, slot=slot, now=now):
            return earlier
        if earlier:  # the page of times was kept by the browser and used again
            release_hold(earlier)
            idempotency_key = uuid.uuid4()
        clinic = Clinic.objects.current()
        mode = service.modes[0].name
        require_free(slot=slot, mode=mode, now=now, clinic=clinic)
        drop_expired_holds(therapist=therapist, now=now)
        blocked = service.shape.blocked(slot.starts_at)
        return Appointment.objects.create(
            reference=free_reference(),
            service=service,
            therapist=therapist,
            starts_at=slot.starts_at,
            mode=mode,
            ends_at=service.shape.visit(slot.starts_at).end,
            blocked=DateTimeTZRange(blocked.start, blocked.end),
            status=Appointment.Status.HELD,
            hold_expires_at=now + HOLD,
            idempotency_key=idempotency_key,
            created_at=now,
            **service.terms,
        )


def keeps(appointment: Appointment, *, slot: Slot, now: datetime) -> bool:
    """Whether the row is a live hold of `slot`."""
    return slot.is_of(appointment) and is_live(appointment, now=now)


def hold_token(appointment: Appointment) -> str:
    """What the address of its form carries: 256 bits that only this site can derive from the row."""
    mac = salted_hmac("booking.hold", str(appointment.idempotency_key), algorithm="sha256")
    return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def find_hold(*, token: str, slot: Slot) -> Appointment | None:
    """The row behind a hold's address: still held, run out, or booked by now; None once it is gone."""
    rows = Appointment.objects.filter(therapist=slot.therapist, starts_at=slot.starts_at).exclude(
        status=Appointment.Status.CANCELLED
    )
    return next((row for row in rows if constant_time_compare(hold_token(row), token)), None)


def is_live(appointment: Appointment, *, now: datetime) -> bool:
    """Whether the row is a hold that still blocks its time."""
    return appointment.status == Appointment.Status.HELD and now < appointment.hold_expires_at


def is_renewable(appointment: Appointment) -> bool:
    """Whether the hold still has its first ten minutes only."""
    is_held = appointment.status == Appointment.Status.HELD
    return is_held and appointment.hold_expires_at <= appointment.created_at + HOLD


def renew_hold(appointment: Appointment, *, now: datetime) -> Appointment:
    """Ten more minutes from now, once; one that ran out too, while nobody else has taken the time.

    Raises HoldNotRenewable, BusyTryAgain.
    """
    with locked_schedules([appointment.therapist_id]):
        appointment = Appointment.objects.filter(pk=appointment.pk).first()
        if appointment is None or not is_renewable(appointment):
            raise HoldNotRenewable
        appointment.hold_expires_at = max(now, appointment.created_at + timedelta(seconds=1)) + HOLD
        appointment.save(update_fields=["hold_expires_at"])
        return appointment


@transaction.atomic
def release_hold(appointment: Appointment) -> None:
    """Give a held time back. A visit that was booked meanwhile stays. Freeing needs no lock: nobody can lose by it."""
    Appointment.objects.filter(pk=appointment.pk, status=Appointment.Status.HELD).delete()


def drop_expired_holds(*, therapist: Therapist, now: datetime) -> None:
    """Delete the holds of a therapist that ran out. Only under the diary's lock: until then a hold may be renewed."""
    Appointment.objects.filter(therapist=therapist, status=Appointment.Status.HELD, hold_expires_at__lte=now).delete()


def delete_expired_holds(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` holds that ran out a day ago, each under its schedule's lock. Returns how many.

    Under the lock none of them can be renewed or booked meanwhile. A schedule that stays locked is left for the next run.
    """
    expired = Appointment.objects.filter(
        status=Appointment.Status.HELD, hold_expires_at__lte=now - RENEWABLE_FOR
    ).order_by()
    deleted = 0
    for therapist_id in expired.values_list("therapist", flat=True).distinct():
        try:
            with locked_schedules([therapist_id]):
                deleted += delete_batch(expired.filter(therapist=therapist_id), limit=limit - deleted)
        except BusyTryAgain:
            continue
        if deleted >= limit:
            break
    return deleted
