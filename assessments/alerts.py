"""What the clinic is told by mail of an answer that must not wait. The mail names nobody and no reason; Today does."""

from datetime import timedelta

from django.urls import reverse

from clinic.outbox.alerts import staff_email, why_clinic_unreachable
from clinic.outbox.kinds import Email, MessageKind, register_kind
from clinic.outbox.messages import plan_message
from clinic.outbox.models import Message

from .models import Flag, Response

NEW_FLAG = "staff_new_flag"
WORTH_TELLING_FOR = timedelta(days=2)
ALARMING = ("E", "U")  # what is only to be told at the visit waits on Today


def plan_flag_alert(*, response: Response, raised: list[Flag], now) -> Message | None:
    """Tell the clinic, at once, that `response` raised emergency or urgent flags; None if it raised neither.

    The caller holds the lock on the response.
    """
    if not any(flag.current_level in ALARMING for flag in raised):
        return None
    earlier = Message.objects.filter(kind=NEW_FLAG, subject_id=response.pk).count()
    return plan_message(
        kind=NEW_FLAG,
        subject_id=response.pk,
        version=earlier + 1,
        patient=None,
        due_at=now,
        not_after=now + WORTH_TELLING_FOR,
        now=now,
    )


def register_alerts() -> None:
    """Tell the outbox of this kind. Called once, when the app is ready."""
    register_kind(MessageKind(NEW_FLAG, _render, _why_unwanted, respects_quiet_hours=False))


def _render(message: Message, now) -> Email:
    return staff_email(NEW_FLAG, now=now, path=reverse("admin:index"), button_text="Open Today")


def _why_unwanted(message: Message, now) -> str | None:
    if not Flag.objects.open().filter(response=message.subject_id, current_level__in=ALARMING).exists():
        return "somebody has seen to it"
    return why_clinic_unreachable()
