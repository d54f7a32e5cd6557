"""Sign-off of the rules by a therapist. Every summary shows the sign-off, or that it is pending."""

from datetime import datetime, tzinfo

from django.db import transaction

from assessments.models import RuleSignOff
from assessments.red_flags.definitions import digest_rules, read_rules
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Therapist, User
from clinic.practice.values.dates import format_date


class TherapistNeeded(Exception):
    """The user is not an active therapist. Only therapists may sign off rules."""


class AlreadySignedOff(Exception):
    """These rules are signed off already; `sign_off` is the existing sign-off."""

    def __init__(self, sign_off: RuleSignOff):
        super().__init__("these rules are signed off")
        self.sign_off = sign_off


def find_sign_off() -> RuleSignOff | None:
    """Return the sign-off of the rules in force, matched by their digest; None while it is pending."""
    return RuleSignOff.objects.select_related("signed_by").filter(digest=digest_rules()).first()


def sign_off_rules(*, by: User, digest: str, now: datetime) -> RuleSignOff:
    """Sign off the rules as therapist `by`, and add an audit entry. `digest` identifies the rules that `by` has read.

    Raises TherapistNeeded, AlreadySignedOff, or LookupError if the rules have changed since.
    """
    therapist = Therapist.objects.active().filter(user=by).first()
    if therapist is None:
        raise TherapistNeeded
    if digest != digest_rules():
        raise LookupError("the rules have changed")
    with transaction.atomic():
        signed, is_new = RuleSignOff.objects.get_or_create(
            digest=digest, defaults={"version": read_rules().version, "signed_by": therapist, "signed_at": now}
        )
        if not is_new:
            raise AlreadySignedOff(signed)
        record_access(actor=by, action=Action.EXECUTE, subject=signed, patient_id=None, now=now)
    return signed


def describe_sign_off(*, zone: tzinfo) -> str:
    """Return "version 1, awaiting sign-off", or "version 1, signed off by … on …" with the day in `zone`."""
    signed = find_sign_off()
    if signed is None:
        return read_rules().sign_off
    day = signed.signed_at.astimezone(zone)
    return f"version {signed.version}, signed off by {signed.signed_by} on {format_date(day)}"
