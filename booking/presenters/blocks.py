"""The blocks of a visit's page, for the holder of its link, that lead to the questions, the wait list and messages."""

from datetime import datetime
from typing import Any

from booking.models import Appointment
from booking.presenters.visit import waiting_entry
from clinic.outbox.texts.providers import has_texts
from clinic.practice.access.proof import Capability, LinkRequest, has_proof
from clinic.practice.registry.blocks import Block, Region, register_block


def register_blocks() -> None:
    """Register the blocks of this room."""
    for block in (QUESTIONS, WAIT_LIST, MESSAGES):
        register_block(block)


def read_questions(request: LinkRequest, visit: Appointment, *, now: datetime) -> dict[str, Any] | None:
    """Return the progress of the visit's questions."""
    if not visit.is_ahead(now) or visit.intake is None:
        return None
    return {"intake_progress": visit.intake.progress}


def read_wait_list(request: LinkRequest, visit: Appointment, *, now: datetime) -> dict[str, Any] | None:
    """Return whether the patient waits for an earlier time; False for a link that does not prove enough to know."""
    if not visit.is_ahead(now):
        return None
    may_know = has_proof(request, Capability.SEE_WAIT_LIST_PLACE, now=now)
    return {"is_on_wait_list": may_know and waiting_entry(visit, now=now) is not None}


def read_messages(request: LinkRequest, visit: Appointment, *, now: datetime) -> dict[str, Any] | None:
    """Return the block that leads to the choice of messages, if the site can send texts."""
    return {} if visit.is_ahead(now) and has_texts() else None


QUESTIONS = Block(
    place=Region.FIRST,
    capability=Capability.BEGIN_QUESTIONS,
    read=read_questions,
    template="booking/_block_questions.html",
    order=10,
)
WAIT_LIST = Block(
    place=Region.BESIDE_MOVE,
    capability=Capability.ASK_FOR_EARLIER,
    read=read_wait_list,
    template="booking/_block_wait_list.html",
    order=10,
)
MESSAGES = Block(
    place=Region.LAST,
    capability=Capability.OPEN_MESSAGES,
    read=read_messages,
    template="booking/_block_messages.html",
    order=10,
)
