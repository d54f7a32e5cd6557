"""The sections of Today about messages: texts received, and messages that were not sent."""

from datetime import datetime
from typing import Any

from clinic.outbox.models import Message
from clinic.outbox.sending.heartbeat import silent_since
from clinic.outbox.texts.inbound import VIEW, read_unread_texts
from clinic.practice.models import Clinic, User
from clinic.practice.registry.today import Place, Section, register_section

MOST_MESSAGES = 20


def register_sections() -> None:
    """Register the sections of this room."""
    register_section(TEXTS)
    register_section(MESSAGES)


def read_texts(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any]:
    """Read the unread texts, and record in the audit log that `by` saw them."""
    return {"received_texts": read_unread_texts(user=by, now=now)}


def read_messages(*, now: datetime, clinic: Clinic, by: User) -> dict[str, Any]:
    """Read the messages that failed or are late, and the time of the last sweep if the heartbeat has stopped."""
    return {
        "failed_messages": list(Message.objects.failed_recently(now).select_related("patient")[:MOST_MESSAGES]),
        "overdue_messages": list(Message.objects.overdue(now).select_related("patient")[:MOST_MESSAGES]),
        "nothing_sent_since": silent_since(now=now),
    }


TEXTS = Section(permissions=(VIEW,), read=read_texts, places=(Place("admin/_today_texts.html", 40),))
MESSAGES = Section(
    name="messages",
    permissions=("outbox.view_message",),
    read=read_messages,
    places=(Place("admin/_today_messages.html", 120, in_columns=True),),
)
