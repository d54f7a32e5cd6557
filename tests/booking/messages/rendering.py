"""The messages of a visit, rendered."""

import html
import re

from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message
from tests.world import NOW


def message_of(visit, kind) -> Message:
    return Message.objects.get(subject_id=visit.pk, kind=kind)


def why_not(visit, kind, now=NOW):
    return find_kind(kind).relevance(message_of(visit, kind), now)


def words_of(markup: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", markup).split()))
