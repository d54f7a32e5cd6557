"""Helpers that read the messages of a visit."""

import html
import re
from datetime import datetime
from zoneinfo import ZoneInfo

from booking.schedule.local_time import LocalTime
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message
from tests.world import NOW


def message_of(visit, kind) -> Message:
    return Message.objects.get(subject_id=visit.pk, kind=kind)


def why_not(visit, kind, now=NOW):
    return find_kind(kind).relevance(message_of(visit, kind), now)


def words_of(markup: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", markup).split()))


def when(starts_at: datetime) -> str:
    """Return the start as messages show it in the clinic's time zone."""
    return str(LocalTime(starts_at, ZoneInfo("America/New_York")))
