"""The email with the link by which a visitor confirms that an address is their own."""

from datetime import datetime

from django.conf import settings
from django.urls import reverse

from booking.actions.confirm_address import sign_request
from booking.messages.names import CONFIRM_ADDRESS
from booking.models import ReturnRequest
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.messages.rendering import render_email
from clinic.outbox.messages.suppressions import why_undeliverable
from clinic.outbox.models import Message
from clinic.practice.models import Clinic


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    request = ReturnRequest.objects.get(pk=message.subject_id)
    path = reverse("booking:confirm_address", args=[sign_request(request)])
    button = {"button_url": settings.SITE_URL + path, "button_text": "Confirm my address"}
    return render_email(CONFIRM_ADDRESS, to=request.email, context=button, clinic=Clinic.objects.current())


def _why_unwanted(message: Message, now: datetime) -> str | None:
    request = ReturnRequest.objects.filter(pk=message.subject_id).first()
    return why_undeliverable(request.email) if request else "the request is gone"


KIND = MessageKind(
    name=CONFIRM_ADDRESS,
    title="Link to confirm an address",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=False,
)
