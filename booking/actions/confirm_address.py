"""Confirm by a mailed link that an address is the visitor's own, when other people have used up its rate limits.

Each link is valid for `KEPT_FOR`. A stranger who uses up the rate limit of these emails too has only caused a valid
link to be sent to the owner.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

from booking.actions.return_links import KEPT_FOR, plan_link_mail
from booking.messages.names import CONFIRM_ADDRESS
from booking.models import ReturnRequest
from clinic.practice.access.links import LinkUnknown
from clinic.practice.access.rate_limits import CONFIRM_LINKS, CONFIRM_LINKS_IN_A_ROW, mailbox_of, spend

OWN_FOR = timedelta(hours=2)  # the same as `return_links.LINK_LASTS`
_signer = Signer(salt="booking.own_address")


class ConfirmationEnded(Exception):
    """The link has expired."""


def request_confirmation(*, email: str, now: datetime) -> bool:
    """Mail a link to `email`. Return False if the rate limit is exceeded; a link mailed earlier is then still valid."""
    charges = [(limit, email) for limit in (CONFIRM_LINKS, CONFIRM_LINKS_IN_A_ROW)]
    if spend(*charges, now=now).is_over:
        return False
    plan_link_mail(CONFIRM_ADDRESS, email=email, now=now)
    return True


def sign_request(request: ReturnRequest) -> str:
    """Return the token of the link for `request`."""
    return _signer.sign(str(request.pk))


def open_confirmation(*, token: str, now: datetime) -> str:
    """Return the address that the link was mailed to. Raises LinkUnknown, ConfirmationEnded."""
    try:
        key = UUID(_signer.unsign(token))
    except (BadSignature, ValueError):
        raise LinkUnknown from None
    request = ReturnRequest.objects.filter(pk=key, created_at__gt=now - KEPT_FOR).first()
    if request is None:
        raise ConfirmationEnded
    return request.email


def own_mark(email: str) -> str:
    """Return the cookie value for a confirmed address: a keyed hash of its mailbox."""
    return salted_hmac("booking.own_address", mailbox_of(email), algorithm="sha256").hexdigest()
