"""The sections of Today about messages: texts received, and messages that were not sent."""

from datetime import datetime
from typing import Any

from clinic.outbox.messages.kinds import kinds_hidden_from
from clinic.outbox.models import Message
from clinic.outbox.sending.heartbeat import silent_since
from clinic.outbox.texts.inbound import VIEW, read_unread_texts
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.today import Group, Place, Section, register_section

MOST_MESSAGES = 20


def register_sections() -> None:
    """Register the sections of this room."""
    register_section(TEXTS)
    register_section(MESSAGES)


def read_texts(*, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None) -> dict[str, Any]:
    """Read the unread texts."""
    return {"received_texts": read_unread_texts(user=by)}


def read_messages(
    *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None = None
) -> dict[str, Any] | None:
    """Read the messages that failed or are late, and the time of the last sweep if the heartbeat has stopped.

    Omits kinds that `by` may not see. None if there are none.
    """
    shown = Message.objects.exclude(kind__in=kinds_hidden_from(by)).select_related("patient")
    context = {
        "failed_messages": list(shown.failed_recently(now)[:MOST_MESSAGES]),
        "overdue_messages": list(shown.overdue(now)[:MOST_MESSAGES]),
        "nothing_sent_since": silent_since(now=now),
    }
    return context if any(context.values()) else None


TEXTS = Section(
    permissions=(VIEW,),
    read=read_texts,
    places=(Place("admin/_today_texts.html", Group.CALLS, 40, needs="received_texts"),),
)
MESSAGES = Section(
    permissions=("outbox.view_message",),
    read=read_messages,
    places=(Place("admin/_today_messages.html", Group.REPAIRS, 120),),
)
