"""The parts of a questionnaire as frozen dataclasses, for the subset of FHIR that we support. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol

from clinic.practice.values.numbers import PLAIN

CHOICE_TYPES = {"choice", "open-choice"}
TEXT_TYPES = {"string", "text", "url"}
ORDERED_TYPES = {"integer", "decimal", "quantity", "date", "dateTime", "time"}
QUESTION_TYPES = {"boolean"} | CHOICE_TYPES | TEXT_TYPES | ORDERED_TYPES
type Answer = bool | int | str | dict[str, str]  # {"text": …} is the patient's own text for an open-choice

UNASKED_TYPES = {"attachment", "reference"}  # shown as a note that asks the patient to bring it


class InvalidQuestionnaire(ValueError):
    """The questionnaire cannot be asked or stored. `link_id` is that of the item; empty for the whole questionnaire."""

    def __init__(self, reason: str, link_id: str = "") -> None:
        super().__init__(f"{link_id}: {reason}" if link_id else reason)
        self.reason, self.link_id = reason, link_id


@dataclass(frozen=True, slots=True)
class Option:
    """An answer option. `is_exclusive`: it must be the only choice ("none of these"). `kind`: its FHIR type."""

    code: str
    text: str
    ordinal: Decimal | None = None
    is_exclusive: bool = False
    kind: str = "Coding"
    system: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: `question` `operator` `value` (a boolean for "exists")."""

    question: str
    operator: str
    value: bool | int | str


@dataclass(frozen=True)
class Item:
    """A group, a display or a question. Answers are plain JSON values: codes, ISO dates, decimals as text.

    `source` is the linkId in the file if ours differs: in copies of a repeating group and in parts of a long page.
    `number` is that of a copy of a repeating group, from 2; 0 for any other item. `is_added` items are not in the file
    (see `fhir_json.repeat_expansion`).
    `minimum` and `maximum` may be relative to today (see `answer_limits`). `refused` holds (option, reason).
    `codes` identify the item in instruments, such as "hoos:pain-1".
    """

    link_id: str
    type: str
    text: str = ""
    short: str = ""
    why: str = ""
    hint: str = ""
    layout: str = ""
    unit: str = ""
    scale_ends: tuple[str, str] = ("", "")
    is_required: bool = False
    repeats: bool = False
    fewest: int | None = None
    most: int | None = None
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    pattern: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    initial: tuple[Answer, ...] = ()
    calculated: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    is_hidden: bool = False
    is_read_only: bool = False
    codes: tuple[str, ...] = ()
    source: str = ""
    number: int = 0
    is_added: bool = False
    is_continued: bool = False
    options: tuple[Option, ...] = ()
    conditions: tuple[Condition, ...] = ()
    needs_all: bool = False
    parent: str | None = None
    items: tuple["Item", ...] = ()

    @property
    def is_question(self) -> bool:
        return self.type in QUESTION_TYPES

    @property
    def is_answerable(self) -> bool:
        """Whether patients can answer it: a question that is not hidden, read-only or calculated."""
        return self.is_question and not (self.is_hidden or self.is_read_only or self.calculated)

    @property
    def exported_id(self) -> str:
        """The linkId in the file."""
        return self.source or self.link_id

    @property
    def label(self) -> str:
        """The short name for summaries; the question's text if it has none."""
        return self.short or self.text

    def walk(self) -> Iterator["Item"]:
        """Yield this item and all items below it, in order."""
        yield self
        for child in self.items:
            yield from child.walk()

    def option_text(self, code: str) -> str:
        """Return the text of the option `code`; the code itself if it is unknown."""
        return next((option.text for option in self.options if option.code == code), code)


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """A rule to calculate one score from several answers; see `scoring.score`."""

    measure: str
    title: str
    method: str
    items: tuple[str, ...]
    minimum_answered: int
    multiplier: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    gate: str = ""


@dataclass(frozen=True)
class Questionnaire:
    """A whole questionnaire; its top-level items are its pages. Immutable, because requests share it."""

    url: str
    version: str
    title: str
    description: str
    pages: tuple[Item, ...]
    scores: tuple[ScoreRule, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Every item by linkId, in the order asked."""
        return MappingProxyType({item.link_id: item for page in self.pages for item in page.walk()})

    @cached_property
    def page_of(self) -> Mapping[str, Item]:
        """The page of each item, by linkId."""
        return MappingProxyType({item.link_id: page for page in self.pages for item in page.walk()})


class Comparable(Protocol):
    """A value with an order: a Decimal, a date, an instant, a time, a boolean or a text."""

    def __lt__(self, other: Any, /) -> bool: ...
    def __gt__(self, other: Any, /) -> bool: ...


def comparable(item: Item, value: object) -> Comparable:
    """Convert `value` so that two answers to `item` can be compared.

    Raises ValueError or decimal.InvalidOperation if it is not a possible answer.
    """
    if item.type in ("integer", "decimal", "quantity"):
        if isinstance(value, bool):
            raise ValueError("a boolean is not a number")
        if isinstance(value, str) and not PLAIN.fullmatch(value):
            raise ValueError("not a number")
        number = Decimal(str(value))
        if not number.is_finite():
            raise ValueError("not a finite number")
        return number
    if item.type in ("date", "dateTime", "time"):
        if not isinstance(value, str):
            raise ValueError("not a text")
        return _read_moment(item.type, value)
    if item.type == "boolean":
        if not isinstance(value, bool):
            raise ValueError("not a boolean")
        return value
    if isinstance(value, dict):
        return value.get("text", "")
    return str(value)


def _read_moment(kind: str, text: str) -> date | time:
    """Parse a complete date, time or dateTime. An offset is dropped, because local times are compared."""
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "time":
        return time.fromisoformat(text).replace(tzinfo=None)
    return datetime.fromisoformat(text).replace(tzinfo=None)
