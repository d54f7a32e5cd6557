"""Step-up authentication before stored answers are shown: by an emailed code or the birth date on file.

A code is six digits, derived from its row's id with the site's secret key. It is not stored, and every copy of its
email has the same code. It expires after CODE_LASTS or MOST_TRIES wrong attempts. A confirmation is valid in one
browser, for CONFIRMED_FOR.
"""

from datetime import date, datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic.audit.access import record_access
from clinic.audit.models import Action
from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import ConfirmationCode, Patient

CODE_LASTS = timedelta(minutes=10)
KEPT_FOR = timedelta(days=1)  # longer than a code and its email are valid
MOST_TRIES = 5  # wrong attempts at one code
CONFIRMED_FOR = timedelta(minutes=30)
KEY, SALT = "confirmed", "practice.confirmation"


def digits_of(code: ConfirmationCode) -> str:
    """Return the six digits of `code`, for its email."""
    mac = salted_hmac(SALT, str(code.pk), algorithm="sha256").digest()
    return f"{int.from_bytes(mac) % 1_000_000:06}"


@transaction.atomic
def try_code(*, patient: Patient, typed: str, now: datetime) -> bool:
    """Return whether `typed` is the newest code of `patient` and the code is still valid.

    A match uses up the code and is written to the audit log. A mismatch with a valid code counts as a wrong attempt.
    """
    code = ConfirmationCode.objects.select_for_update().filter(patient=patient).order_by("-created_at").first()
    if code is None or code.used_at or now >= code.created_at + CODE_LASTS or code.wrong_tries >= MOST_TRIES:
        return False
    if not constant_time_compare("".join(typed.split()), digits_of(code)):
        ConfirmationCode.objects.filter(pk=code.pk).update(wrong_tries=F("wrong_tries") + 1)
        return False
    code.used_at = now
    code.save(update_fields=["used_at"])
    record_access(actor=None, action=Action.EXECUTE, subject=code, patient_id=patient.pk, now=now)
    return True


def delete_expired_codes(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` codes older than KEPT_FOR. Returns how many."""
    return delete_batch(ConfirmationCode.objects.filter(created_at__lte=now - KEPT_FOR), limit=limit)


def is_birth_date(*, patient: Patient, typed: date) -> bool:
    """Whether `typed` is the birth date on file. The caller must rate limit this."""
    return patient.birth_on is not None and patient.birth_on == typed


def confirm(session: SessionBase, *, patient: Patient, now: datetime) -> None:
    """Record in the session that its user has proven to be `patient` at `now`."""
    session[KEY] = {**session.get(KEY, {}), str(patient.pk): now.isoformat()}


def is_confirmed(session: SessionBase, *, patient: Patient, now: datetime) -> bool:
    """Whether `confirm` was called for `patient` in this session within the last CONFIRMED_FOR."""
    confirmed_at = session.get(KEY, {}).get(str(patient.pk))
    return confirmed_at is not None and now < datetime.fromisoformat(confirmed_at) + CONFIRMED_FOR
