"""Recognize returning patients, only by a link mailed to their own mailbox.

A stranger may request a link for any address and learns nothing, because the request does the same work and gives the
same response whether or not the address is known. The patient is looked up after the response, when the email is
rendered.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower

from booking.messages.names import RETURN_LINK
from booking.models import ReturnRequest, Service
from clinic.outbox.messages.planning import plan_message
from clinic.practice.access.networks import Network
from clinic.practice.access.rate_limits import NETWORK_RETURN_LINKS, RETURN_LINKS, RETURN_LINKS_IN_A_ROW, Verdict, spend
from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import Patient
from clinic.practice.values.mail_addresses import normalize_address

PER_MAILBOX = (
    RETURN_LINKS,
    RETURN_LINKS_IN_A_ROW,
)  # separate from other limits, so that strangers cannot lock the owner out
LINK_LASTS = timedelta(hours=2)
KEPT_FOR = timedelta(days=1)


def request_return_link(*, email: str, network: Network, service: Service | None = None, now: datetime) -> Verdict:
    """Plan an email to `email` with a link, which leads to `service` if given.

    The email is sent only if a patient has that address.

    Return the verdict of the network's rate limit. If that limit or one of the mailbox's is exceeded, no email is
    planned. The verdict does not reveal whether one of the mailbox's was exceeded.
    """
    verdict = spend((NETWORK_RETURN_LINKS, network), now=now)
    if not verdict.is_over and not spend(*((limit, email) for limit in PER_MAILBOX), now=now).is_over:
        plan_link_mail(RETURN_LINK, email=email, scope=service.slug if service else "", now=now)
    return verdict


@transaction.atomic
def plan_link_mail(kind: str, *, email: str, scope: str = "", now: datetime) -> None:
    """Create a ReturnRequest for `email`, and plan an email of `kind` about it.

    `scope` is the slug of a service, or empty.
    """
    request = ReturnRequest.objects.create(email=normalize_address(email).lower(), created_at=now)
    last = now + timedelta(hours=1)
    times = {"due_at": now, "not_after": last, "now": now}
    plan_message(kind=kind, subject_id=request.pk, version=1, patient=None, scope=scope, **times)


def delete_expired_requests(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` requests older than `KEPT_FOR`. Return their number."""
    return delete_batch(ReturnRequest.objects.filter(created_at__lte=now - KEPT_FOR), limit=limit)


def patients_at(email: str) -> list[Patient]:
    """Return the patients with this address, sorted by name.

    Of several patients with the same name key, only one is returned, preferably a known one.
    """
    keyed = Patient.objects.current().exclude(email="").alias(address=Lower("email"))
    people: dict[str, Patient] = {}
    for patient in keyed.filter(address=Lower(Value(email))).order_by("is_provisional", "name"):
        people.setdefault(patient.name_key, patient)
    return sorted(people.values(), key=lambda patient: patient.name)
