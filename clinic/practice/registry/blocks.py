"""Registry of the blocks of the patient's own page, behind the link of a visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from clinic.practice.access.proof import Capability, LinkRequest, has_proof
from clinic.practice.models import LinkPurpose
from clinic.practice.registry.parts import ShownPart


class Region(Enum):
    """A part of the page."""

    FIRST = "first"  # above the details of the visit
    BESIDE_MOVE = "beside_move"  # a button beside those that move and cancel the visit
    LAST = "last"  # below them


class ReadsBlock(Protocol):
    def __call__(self, request: LinkRequest, subject: Any, /, *, now: datetime) -> Mapping[str, Any] | None:
        """Return the context of the block's template. `subject` is the visit of the link. None hides the block."""


@dataclass(frozen=True)
class Block:
    """A block of the page, shown if the link and the session prove enough for its `capability`.

    Within its `place`, smaller orders come first.
    """

    place: Region
    capability: Capability
    read: ReadsBlock
    template: str
    order: int


_registered: list[Block] = []


def register_block(block: Block) -> None:
    """Register a block. For AppConfig.ready. Idempotent. Raises ValueError if its capability is not about the link of a visit."""
    if block.capability.purpose != LinkPurpose.VISIT:
        raise ValueError("the page opens by the link of a visit")
    if block not in _registered:
        _registered.append(block)


def blocks() -> list[Block]:
    """Return the blocks in order."""
    return sorted(_registered, key=lambda block: block.order)


def read_blocks(request: LinkRequest, subject: Any, *, now: datetime) -> dict[str, list[ShownPart]]:
    """Return the shown blocks by the value of their place."""
    shown: dict[str, list[ShownPart]] = {place.value: [] for place in Region}
    for block in blocks():
        if has_proof(request, block.capability, now=now):
            context = block.read(request, subject, now=now)
            if context is not None:
                shown[block.place.value].append(ShownPart(block.template, context))
    return shown
