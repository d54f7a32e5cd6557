"""Choose the control for a question, parse its answer, and describe problems with it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from assessments.questionnaire.answer_limits import describe_limit
from assessments.questionnaire.checking import Problem, longest_text
from assessments.questionnaire.model import Answer, Item
from assessments.questionnaire.typed_answers import (
    clean_text,
    convert_unit,
    read_day,
    read_day_and_time,
    read_number,
    read_time,
    without_hedges,
)

READ_MOMENT = {"date": read_day, "dateTime": read_day_and_time, "time": read_time}
NUMBERS = {"integer", "decimal", "quantity"}
MOST_DIGITS = 9  # of an integer
YES_NO = (("true", "Yes"), ("false", "No"))


def kind_of(item: Item) -> str:
    """Return the control that asks `item`: agree, body-map, choices, entry or scale."""
    if item.layout in ("agree", "body-map", "scale"):
        return item.layout
    return "choices" if item.type in ("choice", "open-choice", "boolean") else "entry"


def options_of(item: Item) -> list[tuple[str, str]]:
    """Return (value, text) of each option."""
    if item.layout == "scale":
        return [(str(number), str(number)) for number in range(int(item.minimum or 0), int(item.maximum or 10) + 1)]
    if item.type == "boolean":
        return list(YES_NO)
    return [(option.code, option.text) for option in item.options]


def read_answer(item: Item, raw: str | None) -> list:
    """Parse a typed or chosen answer into a list of the value to store.

    The list has the text as typed if it cannot be parsed, and is empty for a blank answer.
    """
    text = clean_text(raw)
    if item.options and raw:
        return _read_option(item, raw, text)
    if not text:
        return []
    if item.type == "boolean":
        return [text == "true"] if text in ("true", "false") else [text]
    if item.type in NUMBERS:
        return [_read_number(item, text)]
    if item.type in READ_MOMENT:
        return [READ_MOMENT[item.type](text) or text]
    return [text]


def _read_option(item: Item, raw: str, text: str) -> list:
    """Return the code of the option that was sent, or the cleaned text if there is no such option; empty if blank.

    Codes that end in a space or contain a line end are recognized, too.
    """
    codes = [option.code for option in item.options]
    if raw in codes:
        return [raw]
    return [next((code for code in codes if clean_text(code) == text), text)] if text else []


def _read_number(item: Item, text: str) -> int | str:
    number = read_number(text, item.unit)
    if number is None:
        return text
    is_whole = item.type == "integer" and len(number.lstrip("+-")) <= MOST_DIGITS and number.lstrip("+-").isdigit()
    return int(number) if is_whole else number


def write_answer(value: object) -> str:
    """Return a stored value as the value of a form control."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def describe_problem(
    item: Item, problem: Problem, *, values: Sequence[Answer] = (), now: datetime | None = None
) -> str:
    """Return a text that tells the patient how to resolve `problem`. `values` are the answers that have it."""
    if (
        problem.reason == "type"
        and item.type in NUMBERS
        and values
        and (help_text := _help_with_number(item, values[0]))
    ):
        return help_text
    if problem.reason in ("required", "type"):
        return _ask_for(item)
    if problem.reason in ("below", "above"):
        return _describe_limits(item, is_upper=problem.reason == "above", now=now)
    if problem.reason == "refused":
        return next((why for code, why in item.refused if code in values), "Choose another answer.")
    return {
        "alone": "You checked “None of these” and another answer. Uncheck one of them.",
        "few": f"Give at least {item.fewest} answers.",
        "many": f"Give at most {item.most} answers.",
        "long": f"Use at most {longest_text(item)} characters.",
        "one": "Choose only one answer.",
        "pattern": "Check how this is written. It is not in the form that the question asks for.",
        "option": "Choose one of the answers shown.",
    }[problem.reason]


def _help_with_number(item: Item, value: object) -> str:
    """Return a text that suggests the number in `value`, converted to the unit of `item` if necessary.

    Empty if there is nothing to suggest.
    """
    text = str(value)
    if (number := read_number(without_hedges(text), item.unit)) is not None:
        return f"Type only the number: {number}." if number != text else ""
    other = convert_unit(text, item.unit) if item.unit else ""
    return f"Type it in {item.unit}: {other}." if other else ""


def _describe_limits(item: Item, *, is_upper: bool, now: datetime | None) -> str:
    limit = item.maximum if is_upper else item.minimum
    if item.type in ("date", "dateTime") and limit is not None:
        return describe_limit(limit, now=now, is_upper=is_upper)
    kind = "time" if item.type == "time" else "number"
    unit = f" {item.unit}" if item.unit else ""
    if item.minimum is not None and item.maximum is not None:
        return f"Type a {kind} from {item.minimum} to {item.maximum}{unit}."
    if item.minimum is not None:
        return f"Type a {kind} of {item.minimum}{unit} or more."
    return f"Type a {kind} of {item.maximum}{unit} or less." if item.maximum is not None else f"Type a smaller {kind}."


def _ask_for(item: Item) -> str:
    if item.layout == "agree":
        return "Check this box to go on."
    if item.layout == "scale":
        return f"Choose a number from {item.minimum or 0} to {item.maximum or 10}."
    if item.repeats:
        return "Check at least one answer."
    if item.type in NUMBERS and item.unit:
        return f"Type a number of {item.unit} in digits, such as {'3' if item.type == 'integer' else '12 or 6.5'}."
    return {
        "integer": "Type a whole number in digits, such as 3.",
        "decimal": "Type a number in digits, such as 12 or 6.5.",
        "date": "Type the day as month/day/year, such as 3/31/2026.",
        "dateTime": "Choose the day and the time.",
        "time": "Type the time, such as 2:30 PM.",
        "quantity": "Type a number in digits, such as 12 or 6.5.",
        "url": "Type the whole address, such as https://example.com.",
        "string": "Write a few words.",
        "text": "Write a few words.",
    }.get(item.type, "Choose one answer.")
