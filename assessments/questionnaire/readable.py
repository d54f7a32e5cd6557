"""Format questions and answers as text, page by page, and estimate the time to answer them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time
from math import ceil

from assessments.questionnaire.enablement import enabled_items, meets_condition
from assessments.questionnaire.model import TEXT_TYPES, Answer, Item, Questionnaire
from assessments.questionnaire.typed_answers import clean_text
from clinic.practice.values.dates import format_day_and_time, format_short_day, format_time

# Speeds on a phone. A question is read at 238 words a minute (Brysbaert 2019, doi:10.1016/j.jml.2019.104047). A list is
# scanned at 390 words a minute. Choosing takes 1.35 s for the decision (keystroke-level model, Card, Moran and Newell
# 1980, doi:10.1145/358886.358895) plus a tap. Typing: 36 words of 5 characters a minute (Palin 2019, MobileHCI).
WORDS_READ, WORDS_SCANNED = 238 / 60, 6.5  # per second
SECONDS_TO_CHOOSE, SECONDS_A_CHARACTER = 2.0, 0.33
NUMBER_LENGTH, TEXT_LENGTH = 3, 30  # typical numbers of characters typed


@dataclass(frozen=True, slots=True)
class Line:
    """One question with its answer `text`: `label` is its short name for staff, `question` what the patient read."""

    link_id: str
    label: str
    text: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One page with its answers."""

    page: Item
    lines: tuple[Line, ...]


def answer_text(item: Item, values: list) -> str:
    """Format `values`, the answers to `item`, one per line; "not answered" if there are none."""
    return "\n".join(_value_text(item, value) for value in values) or "not answered"


def _value_text(item: Item, value: Answer) -> str:
    if isinstance(value, dict):
        return clean_text(value.get("text", ""))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    text = str(value)
    if item.options:
        return item.option_text(text)
    if item.type == "date":
        return format_short_day(date.fromisoformat(text))
    if item.type == "dateTime":
        return format_day_and_time(datetime.fromisoformat(text))
    if item.type == "time":
        return format_time(time.fromisoformat(text))
    return f"{text} {item.unit}" if item.unit else clean_text(text)


def read_sections(questionnaire: Questionnaire, answers: dict[str, list]) -> list[Section]:
    """Return every visible question that is enabled under `answers`, with its answer, page by page."""
    enabled = enabled_items(questionnaire, answers)
    sections = []
    for page in questionnaire.pages:
        asked = [item for item in page.walk() if item.is_question and not item.is_hidden and item.link_id in enabled]
        if asked:
            sections.append(Section(page, tuple(_read_line(questionnaire, item, answers) for item in asked)))
    return sections


def _read_line(questionnaire: Questionnaire, item: Item, answers: dict[str, list]) -> Line:
    subject = describe_subject(questionnaire, item, answers)
    question = f"{subject} {item.text or item.label}".strip()
    return Line(item.link_id, item.label, answer_text(item, answers.get(item.link_id, [])), question)


def describe_subject(questionnaire: Questionnaire, item: Item, answers: dict[str, list]) -> str:
    """Return the earlier question and answer that a text question ("What else?") refers to.

    Empty if there is none, or if it is on the same page. Only the answer that enabled the question is included, because
    the question itself reveals it.
    """
    if item.type not in TEXT_TYPES or len(item.conditions) != 1:
        return ""
    (condition,) = item.conditions
    target = questionnaire.items[condition.question]
    is_same_page = questionnaire.page_of[target.link_id] is questionnaire.page_of[item.link_id]
    if is_same_page or not target.options or condition.operator != "=":
        return ""
    if not meets_condition(target, condition, answers.get(target.link_id, [])):
        return ""
    return f"“{target.text}” You answered “{target.option_text(str(condition.value))}”."


def estimate_minutes(questionnaire: Questionnaire) -> int:
    """Estimate the minutes, rounded up, to read the questions enabled at the start and to answer the required ones."""
    enabled = enabled_items(questionnaire, {})
    asked = [item for item in questionnaire.items.values() if item.link_id in enabled and not item.is_hidden]
    turned = len({questionnaire.page_of[item.link_id].link_id for item in asked if item.is_answerable})
    return ceil((sum(_seconds_for(item) for item in asked) + turned * SECONDS_TO_CHOOSE) / 60) or 1


def _seconds_for(item: Item) -> float:
    seconds = len(f"{item.text} {item.hint}".split()) / WORDS_READ
    seconds += len(" ".join(option.text for option in item.options).split()) / WORDS_SCANNED
    if item.is_answerable and item.is_required:
        is_ticked = item.options or item.layout or item.type == "boolean"
        length = 0 if is_ticked else TEXT_LENGTH if item.type in TEXT_TYPES else NUMBER_LENGTH
        seconds += SECONDS_TO_CHOOSE + length * SECONDS_A_CHARACTER
    return seconds


def count_without_reason(questionnaire: Questionnaire) -> int:
    """Return the number of questions for patients that have no "why we ask"."""
    asked = (item for item in questionnaire.items.values() if item.is_answerable and not (item.is_added or item.source))
    return sum(not item.why for item in asked)
