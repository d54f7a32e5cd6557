"""Registry of the sections of Today, the front page of the admin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from clinic.practice.models import Clinic, User
from clinic.practice.registry.parts import ShownPart
from clinic.practice.registry.rights import may_see


class ReadsSection(Protocol):
    def __call__(self, *, now: datetime, clinic: Clinic, by: User) -> Mapping[str, Any] | None:
        """Return the context of the section's templates. None hides the section."""


@dataclass(frozen=True)
class Place:
    """Where a section is on the page: smaller orders come first. `in_columns`: side by side, in the lower part."""

    template: str
    order: int
    in_columns: bool = False


@dataclass(frozen=True)
class Section:
    """A section of Today. It is neither read nor shown without all of its `permissions` ("app.view_model").

    A section whose parts share data has several places.
    """

    permissions: tuple[str, ...]
    read: ReadsSection
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Today:
    """The parts that a user sees."""

    rows: list[ShownPart]
    columns: list[ShownPart]


_registered: list[Section] = []


def register_section(section: Section) -> None:
    """Register a section. For AppConfig.ready. Idempotent."""
    if section not in _registered:
        _registered.append(section)


def sections() -> list[Section]:
    """Return the sections, in the order of their first places."""
    return sorted(_registered, key=lambda section: section.places[0].order)


def read_today(*, by: User, clinic: Clinic, now: datetime) -> Today:
    """Read the sections that `by` may see."""
    allowed = [section for section in sections() if may_see(by, section.permissions)]
    contexts = [(section, section.read(now=now, clinic=clinic, by=by)) for section in allowed]
    parts = [(place, context) for section, context in contexts if context is not None for place in section.places]
    parts.sort(key=lambda part: part[0].order)
    return Today(
        rows=[ShownPart(place.template, context) for place, context in parts if not place.in_columns],
        columns=[ShownPart(place.template, context) for place, context in parts if place.in_columns],
    )
