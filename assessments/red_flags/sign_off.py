"""Who stands for the rules: a therapist reads a version and signs it off; until then every summary says so."""

from django.db import transaction

from assessments.models import RuleSignOff
from assessments.red_flags.definitions import digest_rules, read_rules
from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.models import Therapist
from clinic.practice.values.dates import format_date


class TherapistNeeded(Exception):
    """Only a therapist who sees patients signs off rules about patients."""


class AlreadySignedOff(Exception):
    """These rules carry a signature; `sign_off` is it."""

    def __init__(self, sign_off: RuleSignOff):
        super().__init__("these rules are signed off")
        self.sign_off = sign_off


def find_sign_off() -> RuleSignOff | None:
    """The signature under the rules in force, exactly as they are now; None while they wait for one."""
    return RuleSignOff.objects.select_related("signed_by").filter(digest=digest_rules()).first()


def sign_off_rules(*, by, digest: str, now) -> RuleSignOff:
    """`by`, a member of staff who is a therapist, signs the rules whose `digest` was on the page they read.

    Raises TherapistNeeded, AlreadySignedOff, or LookupError if the rules are no longer those that were read.
    """
    therapist = Therapist.objects.active().filter(user=by).first()
    if therapist is None:
        raise TherapistNeeded
    if digest != digest_rules():
        raise LookupError("the rules were changed meanwhile")
    with transaction.atomic():
        signed, is_new = RuleSignOff.objects.get_or_create(
            digest=digest, defaults={"version": read_rules().version, "signed_by": therapist, "signed_at": now}
        )
        if not is_new:
            raise AlreadySignedOff(signed)
        record_access(actor=by, action=Action.EXECUTE, subject=signed, patient_id=None, now=now)
    return signed


def describe_sign_off(*, zone) -> str:
    """In words: "version 1, awaiting sign-off", or who signed it and on which day in `zone`."""
    signed = find_sign_off()
    if signed is None:
        return read_rules().sign_off
    day = signed.signed_at.astimezone(zone)
    return f"version {signed.version}, signed off by {signed.signed_by} on {format_date(day)}"
