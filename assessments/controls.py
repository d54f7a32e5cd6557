"""How each kind of question is asked, what is typed becomes an answer, and what is wrong is put in words. Pure."""

import re
from datetime import datetime

from .checking import Problem, longest_text
from .questionnaire import Item

DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y")
# What no keyboard writes into an answer; line breaks and tabs stay.
UNSEEN = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\r")
YES_NO = (("true", "Yes"), ("false", "No"))


def kind_of(item: Item) -> str:
    """Which control asks `item`: agree, body-map, choices, entry or scale."""
    if item.layout in ("agree", "body-map", "scale"):
        return item.layout
    return "choices" if item.type in ("choice", "open-choice", "boolean") else "entry"


def options_of(item: Item) -> list[tuple[str, str]]:
    """(value, text) of what can be chosen."""
    if item.layout == "scale":
        return [(str(number), str(number)) for number in range(int(item.minimum or 0), int(item.maximum or 10) + 1)]
    if item.type == "boolean":
        return list(YES_NO)
    return [(option.code, option.text) for option in item.options]


def read_answer(item: Item, raw: str | None) -> list:
    """What was typed or chosen as a list of the value that is stored, empty for nothing; as typed if it does not fit."""
    text = clean_text(raw)
    if not text:
        return []
    if item.type == "boolean":
        return [text == "true"] if text in ("true", "false") else [text]
    if item.type == "integer":
        return [int(text)] if re.fullmatch(r"[+-]?[0-9]{1,9}", text) else [text]
    if item.type in ("decimal", "quantity"):
        return [text.replace(",", ".")]
    return [_read_date(text)] if item.type == "date" else [text]


def clean_text(raw: str | None) -> str:
    """What was typed, without the characters that cannot be seen."""
    return (raw or "").translate(UNSEEN).strip()


def write_answer(value) -> str:
    """A stored value as the page's controls hold it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_date(text: str) -> str:
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern).date().isoformat()  # noqa: DTZ007 (a day, no instant)
        except ValueError:
            continue
    return text


def describe_problem(item: Item, problem: Problem) -> str:
    """What to do about `problem`, in plain words."""
    if problem.reason in ("required", "type"):
        return _ask_for(item)
    if problem.reason in ("below", "above"):
        return f"Type a number from {item.minimum or 0} to {item.maximum or 'a smaller one'}."
    return {
        "alone": "“None of these” cannot stand together with others. Untick one or the other.",
        "few": f"Please give at least {item.fewest} answers.",
        "many": f"Please give at most {item.most} answers.",
        "long": f"Please use at most {longest_text(item)} characters.",
        "one": "Choose only one answer.",
        "pattern": "Please look at how this is written: it does not have the form that is asked for.",
        "option": "Choose one of the answers shown.",
    }[problem.reason]


def _ask_for(item: Item) -> str:
    if item.layout == "agree":
        return "Tick this box to go on."
    if item.layout == "scale":
        return f"Choose a number from {item.minimum or 0} to {item.maximum or 10}."
    if item.repeats:
        return "Tick at least one answer."
    return {
        "integer": "Type a whole number, such as 3.",
        "decimal": "Type a number, such as 12 or 6.5.",
        "date": "Type the day as month/day/year, such as 3/31/2026.",
        "dateTime": "Choose the day and the time.",
        "time": "Type the time, such as 14:30.",
        "quantity": "Type a number, such as 12 or 6.5.",
        "url": "Type the whole address, such as https://example.com.",
        "string": "Please write a few words.",
        "text": "Please write a few words.",
    }.get(item.type, "Choose one answer.")
