"""A part of a page that a room registered, ready to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ShownPart:
    """A template and its context. The tag `show_part` renders it."""

    template: str
    context: Mapping[str, Any]
