"""Patient links, used instead of passwords: 256 random bits, stored hashed, one purpose, expiring, revocable."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import LinkPurpose, Patient, PatientLink, Proof

# How long an ended link has its own page (410), since patients return to the emails of a course of treatment. After
# that it is deleted, and responds like an unknown link (404).
REMEMBERED_FOR = timedelta(days=90)


class LinkUnknown(Exception):
    """No link of this purpose has this token."""


class LinkExpired(Exception):
    """The link has expired or was revoked; `link` is its row."""

    def __init__(self, link: PatientLink):
        super().__init__("this link has expired or was revoked")
        self.link = link


def issue_link(
    *, patient: Patient, purpose: str, subject_id: UUID, proof: Proof, expires_at: datetime, now: datetime
) -> str:
    """Store a new link of `patient` to the row `subject_id`, and return its token. Only the token's hash is stored.

    `proof` depends on where the caller sends the token: MAILED only if it is sent to the patient's own mailbox and
    nowhere else. Raises ValueError for an unknown purpose or proof.
    """
    token = secrets.token_urlsafe(32)
    PatientLink.objects.create(
        token_hash=_hash_token(token),
        purpose=LinkPurpose(purpose),
        subject_id=subject_id,
        patient=patient,
        proof=Proof(proof),
        expires_at=expires_at,
        created_at=now,
    )
    return token


def open_link(*, token: str, purpose: str, now: datetime) -> PatientLink:
    """Return the link with this `token` and `purpose`, with its patient. One query.

    Raises LinkUnknown if there is none, LinkExpired if it expired or was revoked, ValueError for an unknown purpose.
    The lookup by hash has no timing side channel.
    """
    link = (
        PatientLink.objects.select_related("patient")
        .filter(token_hash=_hash_token(token), purpose=LinkPurpose(purpose))
        .first()
    )
    if link is None:
        raise LinkUnknown
    if link.revoked_at is not None or link.expires_at <= now:
        raise LinkExpired(link)
    return link


def use_up(link: PatientLink, *, now: datetime) -> None:
    """End a link that works once, atomically. What was granted with it remains until the link is revoked.

    Raises LinkExpired if it has ended meanwhile, for example because another request used it.
    """
    open_links = PatientLink.objects.filter(pk=link.pk, revoked_at=None, expires_at__gt=now)
    after_creation = F("created_at") + timedelta(microseconds=1)  # a constraint
    if not open_links.update(expires_at=Greatest(Value(now), after_creation)):
        raise LinkExpired(link)


def revoke_links(
    *, subject_id: UUID, purposes: Iterable[str] | None = None, proof: Proof | None = None, now: datetime
) -> int:
    """Revoke the links to `subject_id`, limited to `purposes` and `proof` if given. Returns how many."""
    links = PatientLink.objects.filter(subject_id=subject_id, revoked_at=None)
    if purposes is not None:
        links = links.filter(purpose__in=[LinkPurpose(purpose) for purpose in purposes])
    if proof is not None:
        links = links.filter(proof=proof)
    return links.update(revoked_at=now)


def revoke_all_links(patient: Patient, *, now: datetime) -> int:
    """Revoke the open links of `patient`, and the open "book again" links of every patient with the same email address.

    Returns how many.
    """
    of_mailbox = Q(purpose=LinkPurpose.RETURN, patient__email__iexact=patient.email) & ~Q(patient__email="")
    links = PatientLink.objects.filter(Q(patient=patient) | of_mailbox, revoked_at=None, expires_at__gt=now)
    return links.update(revoked_at=now)


def restore_links(*, subject_id: UUID, purposes: Iterable[str], revoked_at: datetime) -> int:
    """Restore links of `purposes` that were revoked at `revoked_at`, the instant of the action being undone.

    Links revoked by another action are not restored. Expired links remain expired. Returns how many.
    """
    revoked = PatientLink.objects.filter(subject_id=subject_id, revoked_at=revoked_at)
    return revoked.filter(purpose__in=[LinkPurpose(purpose) for purpose in purposes]).update(revoked_at=None)


def delete_expired_links(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` links that ended REMEMBERED_FOR ago or earlier. Returns how many."""
    end = now - REMEMBERED_FOR
    return delete_batch(PatientLink.objects.filter(Q(expires_at__lte=end) | Q(revoked_at__lte=end)), limit=limit)


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
