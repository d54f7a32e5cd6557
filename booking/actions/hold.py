"""Hold a time while the booking form is filled in. A hold is a row that blocks the time for `HOLD`, renewable once.

The URL of the form contains a token derived from the row's random key, so a reload finds the hold and no one else can
use it. An expired hold does not block (its expiry is compared under the schedule's lock). Its row is deleted by the
next operation that takes a time in that schedule, such as a booking, hold or move, or after `RENEWABLE_FOR` by the
cleanup.
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
RENEWABLE_FOR = timedelta(days=1)  # after expiry, so that a form left open overnight can still find its hold


def hold_time(
    *, slot: Slot, idempotency_key: uuid.UUID, instead_of: Appointment | None = None, now: datetime
) -> Appointment:
    """Hold a time. The same key for the same time, such as from a double click, returns the same hold.

    `instead_of` is the visitor's earlier hold. It is released in the same transaction, so it is kept if the new time is
    refused. If it is a live hold of this time already, it is returned.

    Raises SlotTaken, SlotNotOffered (with the reason) or BusyTryAgain, in which case nothing was written.
    """
    own = Q(idempotency_key=idempotency_key) | Q(pk=instead_of.pk if instead_of else None)
    check_first = partial(require_untaken, slot=slot, own=own, now=now)
    therapist_id = slot.therapist.pk
    therapists = {therapist_id, instead_of.therapist_id if instead_of else therapist_id}
    with locked_schedules(therapists, check_first=check_first):
        if instead_of is not None:
            before = Appointment.objects.filter(pk=instead_of.pk).first()
            if before is not None and holds_slot(before, slot=slot, now=now):
                return before
            release_hold(instead_of)
        earlier = Appointment.objects.filter(idempotency_key=idempotency_key).first()
        if earlier and holds_slot(earlier, slot=slot, now=now):
            return earlier
        if earlier:  # the key was used before, by a page of times in the browser's history
            release_hold(earlier)
            idempotency_key = uuid.uuid4()
        require_free(slot=slot, mode=slot.service.modes[0].name, now=now, clinic=Clinic.objects.current())
        drop_expired_holds(therapist=slot.therapist, now=now)
        return _create_hold(slot, idempotency_key, now)


def _create_hold(slot: Slot, idempotency_key: uuid.UUID, now: datetime) -> Appointment:
    service = slot.service
    blocked = service.shape.blocked(slot.starts_at)
    return Appointment.objects.create(
        reference=free_reference(),
        service=service,
        therapist=slot.therapist,
        starts_at=slot.starts_at,
        mode=service.modes[0].name,
        ends_at=service.shape.visit(slot.starts_at).end,
        blocked=DateTimeTZRange(blocked.start, blocked.end),
        status=Appointment.Status.HELD,
        hold_expires_at=now + HOLD,
        idempotency_key=idempotency_key,
        created_at=now,
        **service.terms,
    )


def holds_slot(appointment: Appointment, *, slot: Slot, now: datetime) -> bool:
    """Whether the row is a live hold of `slot`."""
    return slot.is_of(appointment) and is_live(appointment, now=now)


def hold_token(appointment: Appointment) -> str:
    """Return the token in the URL of the hold's form: 256 bits that only this site can derive from the row."""
    mac = salted_hmac("booking.hold", str(appointment.idempotency_key), algorithm="sha256")
    return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def find_hold(*, token: str, slot: Slot) -> Appointment | None:
    """Return the row with the token of a hold's URL: a live or expired hold, or the visit that it became.

    None if the row was deleted or canceled.
    """
    rows = Appointment.objects.filter(therapist=slot.therapist, starts_at=slot.starts_at).exclude(
        status=Appointment.Status.CANCELLED
    )
    return next((row for row in rows if constant_time_compare(hold_token(row), token)), None)


def is_live(appointment: Appointment, *, now: datetime) -> bool:
    """Whether the row is a hold that still blocks its time."""
    expires_at = appointment.hold_expires_at
    return appointment.status == Appointment.Status.HELD and expires_at is not None and now < expires_at


def is_renewable(appointment: Appointment) -> bool:
    """Whether the hold has not been renewed yet."""
    expires_at, is_held = appointment.hold_expires_at, appointment.status == Appointment.Status.HELD
    return is_held and expires_at is not None and expires_at <= appointment.created_at + HOLD


def renew_hold(appointment: Appointment, *, now: datetime) -> Appointment:
    """Extend the hold by `HOLD`, once. An expired hold is extended from now, if its row still exists.

    Raises HoldNotRenewable, BusyTryAgain.
    """
    with locked_schedules([appointment.therapist_id]):
        held = Appointment.objects.filter(pk=appointment.pk).first()
        if held is None or held.hold_expires_at is None or not is_renewable(held):
            raise HoldNotRenewable
        held.hold_expires_at = max(now, held.hold_expires_at) + HOLD
        held.save(update_fields=["hold_expires_at"])
        return held


@transaction.atomic
def release_hold(appointment: Appointment) -> None:
    """Delete a hold. A no-op if it has become a visit. Needs no lock, because it only frees time."""
    Appointment.objects.filter(pk=appointment.pk, status=Appointment.Status.HELD).delete()


def drop_expired_holds(*, therapist: Therapist, now: datetime) -> None:
    """Delete a therapist's expired holds. The caller has locked the schedule, so that none is renewed meanwhile."""
    Appointment.objects.filter(therapist=therapist, status=Appointment.Status.HELD, hold_expires_at__lte=now).delete()


def delete_expired_holds(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` holds that expired at least `RENEWABLE_FOR` ago. Return their number.

    Each is deleted under its schedule's lock, so that it cannot be renewed or booked meanwhile. A schedule whose lock
    times out is skipped until the next run.
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
