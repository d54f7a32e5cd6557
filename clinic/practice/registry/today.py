"""Registry of the sections of Today, the front page of the admin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.parts import ShownPart
from clinic.practice.registry.rights import may_see


class Group(Enum):
    """The groups of the page by what they ask of staff, in this order. The value is the heading."""

    NOW = "Now and next"
    SAFETY = "Review first"
    CALLS = "Call or answer"
    DAY = "The day"
    REPAIRS = "To put right"
    OPEN = "Still open"

    @property
    def slug(self) -> str:
        """The name of the group in addresses and classes."""
        return self.name.lower()


class ReadsSection(Protocol):
    def __call__(
        self, *, now: datetime, clinic: Clinic, by: User, therapist: Therapist | None
    ) -> Mapping[str, Any] | None:
        """Return the context of the section's templates. None hides the section.

        With `therapist`, omit the visits and the free time of other therapists.
        """


@dataclass(frozen=True)
class Place:
    """Where a part of a section is: in which group, and smaller orders first.

    The part is hidden while `needs`, a key of the section's context, has no true value. Empty: it is always shown.
    """

    template: str
    group: Group
    order: int
    needs: str = ""


@dataclass(frozen=True)
class Section:
    """A section of Today. It is neither read nor shown without all of its `permissions` ("app.view_model").

    A section whose parts share data has several places.
    """

    permissions: tuple[str, ...]
    read: ReadsSection
    places: tuple[Place, ...]


@dataclass(frozen=True)
class ShownGroup:
    """A group with the parts that a user sees, at least one."""

    group: Group
    parts: list[ShownPart]


_registered: list[Section] = []


def register_section(section: Section) -> None:
    """Register a section. For AppConfig.ready. Idempotent."""
    if section not in _registered:
        _registered.append(section)


def sections() -> list[Section]:
    """Return the sections, in the order of their first places."""
    return sorted(_registered, key=lambda section: section.places[0].order)


def read_today(*, by: User, clinic: Clinic, therapist: Therapist | None = None, now: datetime) -> list[ShownGroup]:
    """Read the sections that `by` may see. With `therapist`, only what is theirs of the visits and the free time."""
    allowed = [section for section in sections() if may_see(by, section.permissions)]
    read = [(one, one.read(now=now, clinic=clinic, by=by, therapist=therapist)) for one in allowed]
    shared = {"may_see_patients": may_see(by, ["practice.view_patient"])}
    parts = [
        (place, {**shared, **context})
        for section, context in read
        if context is not None
        for place in section.places
        if not place.needs or context[place.needs]
    ]
    parts.sort(key=lambda part: part[0].order)
    groups = [
        ShownGroup(group, [ShownPart(place.template, context) for place, context in parts if place.group == group])
        for group in Group
    ]
    return [group for group in groups if group.parts]
