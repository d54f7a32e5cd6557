"""Registry of what each room holds of a patient: how staff see it, and how it is exported, merged and erased.

A room registers one `Holding` for each model whose rows are about a patient, directly or through other rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Model, QuerySet

from clinic.practice.models import Patient, User


@dataclass(frozen=True)
class Line:
    """A line of a patient's timeline. `at` has a zone. `url` is a page of the admin, or empty."""

    at: datetime
    what: str
    url: str = ""


@dataclass(frozen=True)
class NotNeeded:
    """The reason why a holding lacks a function."""

    why: str


class ErasureRefused(Exception):
    """The patient cannot be erased yet. The message is the reason, as a sentence for staff."""


class ReadsTimeline(Protocol):
    def __call__(self, patients: Sequence[Patient], *, by: User, most: int | None, now: datetime) -> Iterable[Line]:
        """Return the newest `most` lines (None: all) that `by` may see, in a constant number of queries."""


# (patients, by, now): the rows that `by` may see.
type Export = Callable[[Sequence[Patient], User, datetime], list[dict[str, Any]]]
# (source, target, now): give the rows of `source` to `target`. Return sentences for staff on what could not be moved.
type Repoint = Callable[[Patient, Patient, datetime], list[str]]
# (patients, now): overwrite or delete personal data. The first patient is the erased one, the others were merged into it.
type Erase = Callable[[Sequence[Patient], datetime], None]


@dataclass(frozen=True)
class Holding:
    """What one model holds of a patient. The functions take the patient and the rows that were merged into it."""

    model: type[Model]
    permission: str  # to see the rows: "app.view_model"
    find: Callable[[Sequence[Patient]], QuerySet[Any]]  # the rows of these patients
    timeline: ReadsTimeline | NotNeeded
    export: Export | NotNeeded
    repoint: Repoint | NotNeeded
    erase: Erase | NotNeeded
    label: str = ""  # the name of the rows for staff; empty: that of the model
    goes: str = ""  # what erasing removes, for staff; empty if nothing is removed
    stays: Mapping[str, str] = field(default_factory=dict)  # text columns that erasing keeps: {column: name for staff}
    refuse_erasure: Callable[[Patient, datetime], None] | None = None  # raises ErasureRefused

    @property
    def title(self) -> str:
        """The name of the rows for staff, such as "visits"."""
        return self.label or str(self.model._meta.verbose_name_plural)


_registered: dict[type[Model], Holding] = {}


def register_holding(holding: Holding) -> None:
    """Register a holding. For AppConfig.ready. A second one of the same model replaces the first."""
    _registered[holding.model] = holding


def holdings() -> list[Holding]:
    """Return the holdings, those of the upper rooms first.

    A room's rows may refer to rows of the rooms below, so they are moved and erased before those. The patient is last.
    """
    return list(reversed(_registered.values()))


def by_column(model: type[Model], column: str = "patient") -> Callable[[Sequence[Patient]], QuerySet[Any]]:
    """Return a `Holding.find` for rows whose `column` is a patient. `column` may be a path ("response__patient")."""
    return lambda patients: model._default_manager.filter(**{f"{column}__in": list(patients)})


def move_rows(model: type[Model], column: str = "patient") -> Repoint:
    """Return a `Holding.repoint` that moves all rows of `model` in one query."""

    def move(source: Patient, target: Patient, now: datetime) -> list[str]:
        model._base_manager.filter(**{column: source}).update(**{column: target})
        return []

    return move


def export_columns(find: Callable[[Sequence[Patient]], QuerySet[Any]], *, leave_out: Iterable[str] = ()) -> Export:
    """Return a `Holding.export` of all columns but `leave_out`, decrypted."""
    omitted = frozenset(leave_out)

    def export(patients: Sequence[Patient], by: User, now: datetime) -> list[dict[str, Any]]:
        return [_columns_of(row, omitted) for row in find(patients).order_by("pk")]

    return export


def _columns_of(row: Model, omitted: frozenset[str]) -> dict[str, Any]:
    columns = (one for one in row._meta.concrete_fields if one.name not in omitted and not one.generated)
    return {one.name: as_json(getattr(row, one.attname)) for one in columns}


def as_json(value: object) -> Any:
    """Return `value` as JSON-able data: instants and days in ISO 8601, IDs as text."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
