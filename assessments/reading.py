"""Questions and answers as people read them: in words, page by page, and how long they take. Pure."""

from dataclasses import dataclass
from datetime import date

from .enablement import enabled_items
from .questionnaire import Item, Questionnaire

# A question is read (240 words a minute), a list of answers is scanned for what applies.
WORDS_READ, WORDS_SCANNED = 4.0, 6.5  # a second
SECONDS_TO_CHOOSE, SECONDS_TO_TYPE = 2, 5


@dataclass(frozen=True, slots=True)
class Line:
    """One answered question."""

    link_id: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One page with its answers."""

    page: Item
    lines: tuple[Line, ...]


def answer_text(item: Item, values: list) -> str:
    """`values`, the answers to `item`, in words; "–" for none."""
    return "\n".join(_value_text(item, value) for value in values) or "–"


def _value_text(item: Item, value) -> str:
    if isinstance(value, dict):
        return value.get("text", "")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if item.options:
        return item.option_text(value)
    if item.type == "dateTime":
        return str(value).replace("T", " ")
    if item.type == "date":
        day = date.fromisoformat(value)
        return f"{day:%a} {day.day} {day:%b %Y}"
    return f"{value} {item.unit}" if item.unit else str(value)


def read_sections(questionnaire: Questionnaire, answers: dict[str, list]) -> list[Section]:
    """Every question that is asked under `answers`, with its answer, page by page."""
    enabled = enabled_items(questionnaire, answers)
    sections = []
    for page in questionnaire.pages:
        asked = [item for item in page.walk() if item.is_question and not item.is_hidden and item.link_id in enabled]
        if asked:
            lines = (Line(item.link_id, item.label, answer_text(item, answers.get(item.link_id, []))) for item in asked)
            sections.append(Section(page, tuple(lines)))
    return sections


def estimate_minutes(questionnaire: Questionnaire) -> int:
    """Whole minutes for somebody who answers what must be answered and whose answers open no further questions."""
    seconds = 0.0
    enabled = enabled_items(questionnaire, {})
    for item in (item for item in questionnaire.items.values() if item.link_id in enabled):
        if item.is_hidden or (item.is_question and not (item.is_required and item.is_answerable)):
            continue
        seconds += len(f"{item.text} {item.hint}".split()) / WORDS_READ
        seconds += len(" ".join(option.text for option in item.options).split()) / WORDS_SCANNED
        if item.is_question:
            is_ticked = item.options or item.layout or item.type == "boolean"
            seconds += SECONDS_TO_CHOOSE if is_ticked else SECONDS_TO_TYPE
    return max(1, round(seconds / 60))


def count_without_reason(questionnaire: Questionnaire) -> int:
    """How many questions do not say why they are asked."""
    return sum(item.is_answerable and not item.is_added and not item.why for item in questionnaire.items.values())
