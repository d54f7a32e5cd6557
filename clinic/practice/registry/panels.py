"""Registry of the panels that rooms add to the admin's pages of a visit and of a patient, and to a visit's card."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from django.db.models import Model

from clinic.practice.models import User
from clinic.practice.registry.rights import may_see

EMPTY_VALUE = "–"  # shown in the admin for a field without a value


class Page(Enum):
    """A page of the admin, and the part of it to which panels are added."""

    PATIENT = "patient"
    BEFORE_VISIT = "visit, before"
    AFTER_VISIT = "visit, after"
    CARD = "card of a visit"


@dataclass(frozen=True)
class Panel:
    """A read-only field of a page. It is neither read nor shown without its `permission`.

    `show(row)` returns its text or safe HTML, "" for an empty panel; `slug` names its element on the page.
    """

    page: Page
    slug: str
    label: str
    permission: str
    show: Callable[[Any], str]
    order: int


_registered: dict[tuple[Page, str], Panel] = {}


def register_panel(panel: Panel) -> None:
    """Register a panel. For AppConfig.ready."""
    _registered[panel.page, panel.slug] = panel


def panels_of(page: Page) -> list[Panel]:
    """Return the panels of `page` in order."""
    return sorted((panel for panel in _registered.values() if panel.page == page), key=lambda panel: panel.order)


def panel_fields(page: Page, *, user: User) -> list[Callable[[Model], str]]:
    """Return the panels of `page` that `user` may see, as fields of a ModelAdmin's fieldsets and readonly_fields."""
    return [_field(panel) for panel in panels_of(page) if may_see(user, [panel.permission])]


@cache  # Django's admin compares fieldsets and readonly_fields, which are built separately
def _field(panel: Panel) -> Callable[[Model], str]:
    def show(row: Model) -> str:
        return panel.show(row) or EMPTY_VALUE

    show.__name__ = panel.slug
    show.short_description = panel.label  # type: ignore[attr-defined]  # read by Django's admin
    return show
