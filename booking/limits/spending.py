"""Rate limits on what visitors do. Staff are not limited.

Count the action before it runs, and outside its transaction. The limits are defined in
`clinic.practice.access.rate_limits`. Settings of the clinic override the limits on bookings and wait list entries, and
can disable the limit on holds. A refusal does not reveal whether an address is known.
"""

import uuid
from dataclasses import replace
from datetime import datetime

from booking.models import Appointment, Service
from booking.schedule.slots import Slot
from clinic.practice.access import rate_limits as limits
from clinic.practice.access.networks import Network
from clinic.practice.access.rate_limits import DAY, Charge, Limit, Verdict, spend
from clinic.practice.models import Clinic


def spend_booking(
    *, email: str, network: Network, is_own: bool, form_key: uuid.UUID, clinic: Clinic, now: datetime
) -> Verdict:
    """Count a booking, once per form and address. `is_own`: an emailed link has proven the address."""
    charges = _acts(
        limits.BOOKINGS, limits.NETWORK_BOOKINGS, email=email, network=network, is_own=is_own, clinic=clinic
    )
    return spend(*charges, once=(limits.SAME_FORM, form_key, email), now=now)


def spend_join(
    *, email: str, name: str, service: Service, network: Network, is_own: bool, clinic: Clinic, now: datetime
) -> Verdict:
    """Count a request to join the wait list. `is_own` as in `spend_booking`."""
    charges = _acts(limits.JOINS, limits.NETWORK_JOINS, email=email, network=network, is_own=is_own, clinic=clinic)
    return spend(*charges, once=(limits.SAME_CLICK, service.pk, email, name), now=now)


def spend_hold(*, network: Network, form_key: uuid.UUID, slot: Slot, clinic: Clinic, now: datetime) -> Verdict:
    """Count a hold, unless the clinic has disabled its limits per network."""
    charges = [(limits.HOLDS, network)] if clinic.bookings_a_day_per_network else []
    return spend(*charges, once=(limits.SAME_CLICK, form_key, slot.therapist.pk, slot.starts_at), now=now)


def spend_move(
    *, appointment: Appointment, to: datetime, network: Network, is_own: bool = False, now: datetime
) -> Verdict:
    """Count a move by the patient and, unless an emailed link has proven the address (`is_own`), its email."""
    charges = [(limits.MOVES, appointment.pk), (limits.NETWORK_CHANGES, network)]
    if not is_own:
        charges.append((limits.MAILS, appointment.booked_patient.email))
    return spend(*charges, once=(limits.SAME_CLICK, appointment.pk, appointment.version, to), now=now)


def spend_undo(*, appointment: Appointment, network: Network, now: datetime) -> Verdict:
    """Count an undo of a cancellation or of a move.

    Canceling is not limited: a visit can be canceled again only after an undo.
    """
    charges = [(limits.UNDOS, appointment.pk), (limits.NETWORK_CHANGES, network)]
    return spend(*charges, once=(limits.SAME_CLICK, appointment.pk, appointment.version, "undo"), now=now)


def spend_undone_check_in(*, appointment: Appointment, network: Network, now: datetime) -> Verdict:
    """Count an undo of "I'm here". Saying it is not limited: it can be said again only after an undo."""
    return spend((limits.CHECK_INS, appointment.pk), (limits.NETWORK_CHANGES, network), now=now)


def spend_correction(*, appointment: Appointment, email: str, network: Network, now: datetime) -> Verdict:
    """Count an address correction, which sends an email to the new address."""
    charges = [(limits.CORRECTIONS, appointment.pk), (limits.NETWORK_CHANGES, network), (limits.MAILS, email)]
    return spend(*charges, once=(limits.SAME_CLICK, appointment.pk, email), now=now)


def spend_copy(*, appointment: Appointment, network: Network, now: datetime) -> Verdict:
    """Count a copy of a visit's email that was requested without proof of the mailbox."""
    return spend((limits.MAILS, appointment.booked_patient.email), (limits.NETWORK_CHANGES, network), now=now)


def _acts(
    per_mailbox: Limit, per_network: Limit, *, email: str, network: Network, is_own: bool, clinic: Clinic
) -> list[Charge]:
    """Return the charges for a booking or a wait list entry with the address `email`.

    With `is_own`, only `OWN_ACTS` is charged. A clinic setting of 0 disables the limits that it overrides. The setting
    per address also disables `MAILS`.
    """
    a_day, a_day_per_network = clinic.bookings_a_day_per_address, clinic.bookings_a_day_per_network
    if is_own:
        return [(_a_day(limits.OWN_ACTS, a_day), email)] if a_day else []
    charges = [(_a_day(per_mailbox, a_day), email), (limits.MAILS, email)] if a_day else []
    return [*charges, (_a_day(per_network, a_day_per_network), network)] if a_day_per_network else charges


def _a_day(limit: Limit, number: int) -> Limit:
    return replace(limit, at_once=number, every=DAY / number)
