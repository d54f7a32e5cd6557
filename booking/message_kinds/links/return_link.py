"""The email with the link that recognizes a returning patient.

The address is looked up here, after the response, so the response does not reveal whether it is known.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from booking.actions.return_links import LINK_LASTS, patients_at
from booking.messages.names import RETURN_LINK
from booking.models import ReturnRequest, Service
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.messages.suppressions import why_undeliverable
from clinic.outbox.models import Message
from clinic.practice.access.links import issue_link
from clinic.practice.models import Clinic, LinkPurpose, Proof


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    """Render the email, and issue its link."""
    request = ReturnRequest.objects.get(pk=message.subject_id)
    patient = patients_at(request.email)[0]
    token = issue_link(
        patient=patient,
        purpose=LinkPurpose.RETURN,
        subject_id=patient.pk,
        proof=Proof.MAILED,
        expires_at=now + LINK_LASTS,
        now=now,
    )
    path = reverse("booking:welcome_back", args=[token]) + _query_for(message.scope)
    context = {
        "button_url": settings.SITE_URL + path,
        "button_text": "Go on with booking",
        "hours": LINK_LASTS // timedelta(hours=1),
    }
    return render_email(RETURN_LINK, to=patient.email, context=context, clinic=Clinic.objects.current())


def _query_for(slug: str) -> str:
    """Return the query string for the service `slug`. It contains the service's id, since emails name no service."""
    service = Service.objects.listed().filter(slug=slug).first() if slug else None
    return f"?for={service.pk.hex}" if service else ""


def _why_unwanted(message: Message, now: datetime) -> str | None:
    request = ReturnRequest.objects.filter(pk=message.subject_id).first()
    if request is None or not patients_at(request.email):
        return "no patient has this address"
    return why_undeliverable(request.email)


KIND = MessageKind(
    name=RETURN_LINK,
    title="Link for a returning patient",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=False,
)
