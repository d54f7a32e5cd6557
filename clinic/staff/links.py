"""Single-use links of staff: invitations, forgotten passwords, emergency access."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as MalformedBase64
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic.outbox.models import Message
from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import User
from clinic.practice.values.mail_addresses import normalize_address
from clinic.staff.models import StaffLink

Purpose = StaffLink.Purpose
LASTS = {
    Purpose.INVITATION: timedelta(days=7),
    Purpose.RESET: timedelta(hours=1),
    Purpose.EMERGENCY: timedelta(hours=1),
}
REMEMBERED_FOR = timedelta(days=90)  # an ended link has its own page until then
SALT = "clinic.staff.links"


class StaffLinkUnusable(Exception):
    """The token is unknown, or its link was used, revoked or replaced, or has expired."""


def create_link(
    *, email: str, purpose: str, by: User | None = None, keeps_earlier: bool = False, now: datetime
) -> StaffLink:
    """Store a link for the account with the address `email`, whether or not there is one.

    Revokes the open links of the same purpose, so that only the newest email works. With `keeps_earlier`, for a reset
    that a visitor asks for, they stay open, since the visitor may be a stranger. All end with the first that is used.
    """
    email = normalize_address(email).lower()
    with transaction.atomic():
        if not keeps_earlier:
            _open_links(email).filter(purpose=purpose).update(revoked_at=now)
        return StaffLink.objects.create(
            email=email, purpose=purpose, invited_by=by, created_at=now, expires_at=now + LASTS[Purpose(purpose)]
        )


def path_of(link: StaffLink) -> str:
    """Return the path of the page that the link opens."""
    return reverse("staff_link", args=[_token_of(link.pk)])


def find_account(email: str) -> User | None:
    """Return the active account with this address, if any. One query."""
    return User.objects.filter(email=normalize_address(email).lower(), is_active=True).first()


def open_link(*, token: str, now: datetime, lock: bool = False) -> tuple[StaffLink, User]:
    """Return the link of `token` and its account. With `lock`, its row is locked until the transaction ends.

    Raises StaffLinkUnusable.
    """
    pk = _pk_of(token)
    links = StaffLink.objects.select_for_update() if lock else StaffLink.objects.all()
    link = links.filter(pk=pk, used_at=None, revoked_at=None, expires_at__gt=now).first() if pk else None
    user = find_account(link.email) if link else None
    if link is None or user is None:
        raise StaffLinkUnusable
    return link, user


@transaction.atomic
def use_link(*, token: str, password: str, now: datetime) -> tuple[StaffLink, User]:
    """Set the account's password, and end this and all other open links of the account. Its sessions end too.

    `password` must have been validated. Raises StaffLinkUnusable, also if another request has used the link.
    """
    link, user = open_link(token=token, now=now, lock=True)
    user.set_password(password)  # sessions carry a hash of it, so they end
    user.save(update_fields=["password"])
    StaffLink.objects.filter(pk=link.pk).update(used_at=now)
    revoke_links(user.email, now=now)
    return link, user


def why_mail_unwanted(message: Message, now: datetime) -> str | None:
    """Return why the email about a link is not sent, or None. For relevance checks."""
    link = StaffLink.objects.filter(pk=message.subject_id, used_at=None, revoked_at=None, expires_at__gt=now).first()
    if link is None:
        return "the link was used, replaced or has expired"
    return None if find_account(link.email) else "no account has this address"


def revoke_links(email: str, *, now: datetime) -> int:
    """Revoke the open links of the account with this address. Returns how many."""
    return _open_links(normalize_address(email).lower()).update(revoked_at=now)


def delete_expired_staff_links(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` links that expired REMEMBERED_FOR ago or earlier. Returns how many."""
    return delete_batch(StaffLink.objects.filter(expires_at__lte=now - REMEMBERED_FOR), limit=limit)


def _open_links(email: str) -> "QuerySet[StaffLink]":
    return StaffLink.objects.filter(email=email, used_at=None, revoked_at=None)


def _token_of(pk: UUID) -> str:
    """Return the token: the id and its 256-bit MAC."""
    return urlsafe_b64encode(pk.bytes + _mac(pk)).decode()


def _pk_of(token: str) -> UUID | None:
    """Return the id in `token`, or None if its MAC is wrong."""
    try:
        raw = urlsafe_b64decode(token.encode())
    except (MalformedBase64, ValueError):
        return None
    if len(raw) != 16 + 32:
        return None
    pk = UUID(bytes=raw[:16])
    return pk if constant_time_compare(raw[16:].hex(), _mac(pk).hex()) else None


def _mac(pk: UUID) -> bytes:
    return salted_hmac(SALT, str(pk), algorithm="sha256").digest()
