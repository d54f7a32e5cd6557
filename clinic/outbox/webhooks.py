"""What mail providers tell us of an address: only signed, only hard bounces and complaints. Anymail reads them."""

import logging

from anymail.signals import EventType, RejectReason
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from .models import Suppression
from .suppressions import note_bounce

logger = logging.getLogger(__name__)

MALFORMED = (ValueError, LookupError, TypeError, AttributeError)


class NotesBounces:
    """For a view of Anymail's: instead of its signal, one function of ours."""

    def post(self, request, *args, **kwargs):
        try:
            self.run_validators(request)
            events = self.parse_events(request)
        except MALFORMED:
            raise SuspiciousOperation("not what this provider sends") from None
        for event in events:
            self._note(event)
        return HttpResponse()

    def _note(self, event):
        why = None
        if event.event_type == EventType.COMPLAINED:
            why = Suppression.Why.COMPLAINED
        elif event.event_type == EventType.BOUNCED and event.reject_reason == RejectReason.BOUNCED:
            why = Suppression.Why.BOUNCED
        if why is None or not event.recipient:
            return
        message_id = str((event.metadata or {}).get("message", ""))
        note_bounce(address=event.recipient, message_id=message_id, why=why, now=timezone.now())


class MailgunBounces(NotesBounces, MailgunTrackingWebhookView):
    pass


class PostmarkBounces(NotesBounces, PostmarkTrackingWebhookView):
    webhook_secret = None  # as_view only takes what the class has


@csrf_exempt
def mailgun(request):
    """Mailgun signs each call with our key (HMAC)."""
    _require_provider("mailgun")
    return MailgunBounces.as_view(webhook_signing_key=settings.ENV.email_webhook_key)(request)


@csrf_exempt
def postmark(request):
    """Postmark sends the user and password that we gave it."""
    _require_provider("postmark")
    return PostmarkBounces.as_view(webhook_secret=settings.ENV.email_webhook_key)(request)


def _require_provider(name: str) -> None:
    if settings.ENV.email.provider != name or not settings.ENV.email_webhook_key:
        raise Http404
