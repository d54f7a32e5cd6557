"""Alert to the clinic about the messages that failed in the last day. Contains their count, but no names."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.urls import reverse

from clinic.outbox.messages.alerts import MESSAGE_FAILED, staff_email, why_clinic_unreachable
from clinic.outbox.messages.kinds import Email, MessageKind, TemplateText
from clinic.outbox.models import Message


def _failed_today(now: datetime) -> QuerySet[Message]:
    return Message.objects.failed_recently(now, within=timedelta(days=1))


def _render(message: Message, template: TemplateText | None, now: datetime) -> Email:
    count = _failed_today(now).count()
    return staff_email(MESSAGE_FAILED, path=reverse("admin:index"), button_text="Open Today", count=count)


def _why_unwanted(message: Message, now: datetime) -> str | None:
    return why_clinic_unreachable() if _failed_today(now).exists() else "no message failed in the last day"


KIND = MessageKind(
    name=MESSAGE_FAILED,
    title="To the clinic: messages did not go out",
    render=_render,
    relevance=_why_unwanted,
    respects_quiet_hours=False,
)
