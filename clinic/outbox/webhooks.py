"""Authenticated webhooks: bounces and complaints (parsed by Anymail), failed texts, and inbound texts."""

import logging
from collections.abc import Callable
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from clinic.outbox.messages.suppressions import note_bounce
from clinic.outbox.models import Suppression
from clinic.outbox.texts.instead_of_mail import note_undelivered
from clinic.outbox.texts.replies import answer_text

logger = logging.getLogger(__name__)

MALFORMED = (ValueError, LookupError, TypeError, AttributeError)


class NotesBounces:
    """Mixin for Anymail's webhook views: record bounces and complaints instead of sending Anymail's signal."""

    run_validators: Callable[[HttpRequest], None]  # both are methods of Anymail's views
    parse_events: Callable[[HttpRequest], list[AnymailTrackingEvent]]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            self.run_validators(request)
            events = self.parse_events(request)
        except MALFORMED:
            raise SuspiciousOperation("not what this provider sends") from None
        for event in events:
            self._note(event)
        return HttpResponse()

    def _note(self, event: AnymailTrackingEvent) -> None:
        why = None
        if event.event_type == EventType.COMPLAINED:
            why = Suppression.Why.COMPLAINED
        elif event.event_type == EventType.BOUNCED and event.reject_reason == RejectReason.BOUNCED:
            why = Suppression.Why.BOUNCED
        if why is None or not event.recipient or not _fits(event.recipient, 254):
            return
        message_id = str((event.metadata or {}).get("message", ""))
        note_bounce(address=event.recipient, message_id=message_id, why=why, now=timezone.now())


class MailgunBounces(NotesBounces, MailgunTrackingWebhookView):
    pass


class PostmarkBounces(NotesBounces, PostmarkTrackingWebhookView):
    webhook_secret = None  # as_view only accepts attributes of the class


@csrf_exempt
def mailgun(request: HttpRequest) -> HttpResponse:
    """Receive Mailgun's webhook, signed with our key (HMAC). 404 if this site does not use Mailgun or has no key."""
    _require_provider("mailgun")
    return MailgunBounces.as_view(webhook_signing_key=settings.ENV.email_webhook_key)(request)


@csrf_exempt
def postmark(request: HttpRequest) -> HttpResponse:
    """Receive Postmark's webhook, authenticated by the user and password that we gave it.

    404 if this site does not use Postmark or has no key.
    """
    _require_provider("postmark")
    return PostmarkBounces.as_view(webhook_secret=settings.ENV.email_webhook_key)(request)


def _fits(text: str, longest: int) -> bool:
    """Whether `text` has at most `longest` characters, and all can be stored.

    Postgres rejects NUL, and a lone surrogate cannot be encoded as UTF-8.
    """
    return len(text) <= longest and not any(one == "\x00" or "\ud800" <= one <= "\udfff" for one in text)


def _require_provider(name: str) -> None:
    if settings.ENV.email.provider != name or not settings.ENV.email_webhook_key:
        raise Http404


def _require_signed_by_twilio(request: HttpRequest) -> None:
    """Check Twilio's signature of the URL and all fields.

    Raises SuspiciousOperation if it is wrong, Http404 if this site does not use Twilio.
    """
    texts = settings.ENV.texts
    if texts is None or texts.provider != "twilio":
        raise Http404
    signature = request.headers.get("X-Twilio-Signature", "")
    if not RequestValidator(texts.token).validate(settings.SITE_URL + request.path, request.POST, signature):
        raise SuspiciousOperation("not signed by the provider")


@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record that the text `pk` was not delivered. Other statuses are ignored."""
    _require_signed_by_twilio(request)
    code = request.POST.get("ErrorCode", "")
    if request.POST.get("MessageStatus") in ("undelivered", "failed"):
        note_undelivered(message_id=pk, code=code if _fits(code, 8) else "", now=timezone.now())
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def twilio(request: HttpRequest) -> HttpResponse:
    """Receive a text message, and return the reply as TwiML."""
    _require_signed_by_twilio(request)
    text, pictures = request.POST.get("Body", "").replace("\x00", ""), request.POST.get("NumMedia", "0")
    if pictures != "0":
        text = f"{text} [pictures: {pictures}, not kept]".strip()
    who = {"phone": request.POST.get("From", ""), "provider_id": request.POST.get("MessageSid", "")}
    if not (all(who.values()) and _fits(who["phone"], 20) and _fits(who["provider_id"], 64)):
        raise SuspiciousOperation("not what this provider sends")
    answer = answer_text(**who, text=text, now=timezone.now())
    reply = MessagingResponse()
    if answer:
        reply.message(answer)
    return HttpResponse(str(reply), content_type="text/xml")
