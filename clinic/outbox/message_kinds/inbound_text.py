"""Alert to staff about unread texts. Contains their count, the time of the oldest and a link; no names or content."""

from datetime import datetime

from django.urls import reverse

from clinic.outbox.messages.alerts import staff_email
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import InboundText, Message, State
from clinic.outbox.texts.inbound import STAFF_TEXT, why_alert_unwanted
from clinic.practice.models import User


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    unread = InboundText.objects.unread()
    received_at = unread.values_list("received_at", flat=True)[0]
    told = Message.objects.filter(kind=STAFF_TEXT, subject_id=message.subject_id, state=State.SENT)
    recipient = User.objects.filter(pk=message.subject_id).first()
    return staff_email(
        STAFF_TEXT,
        to=recipient.email if recipient else "",
        path=reverse("admin:index"),
        button_text="Open Today",
        count=unread.count(),
        received_at=received_at,
        is_again=told.filter(settled_at__gte=received_at).exists(),
    )


KIND = MessageKind(
    name=STAFF_TEXT,
    title="To the clinic: a text message came in",
    render=_render,
    relevance=why_alert_unwanted,
    respects_quiet_hours=False,
)
