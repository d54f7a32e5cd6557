"""Check a FHIR QuestionnaireResponse from another system against its questionnaire.

Every problem in its items is reported with linkId and reason. Calculated answers are calculated again. One in the file
that differs is a problem.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from assessments.calculation.calculated_answers import add_calculated, calculated_items
from assessments.calculation.response_items import Node, nodes_of
from assessments.fhir_json.names import typed_value
from assessments.questionnaire.checking import Problem, check_item
from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import CHOICE_TYPES, UNASKED_TYPES, Item, Questionnaire, comparable

WANTED: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "boolean": ("Boolean", bool),
    "integer": ("Integer", int),
    "decimal": ("Decimal", (int, float, Decimal)),
    "date": ("Date", str),
    "dateTime": ("DateTime", str),
    "time": ("Time", str),
    "string": ("String", str),
    "text": ("String", str),
    "url": ("Uri", str),
    "quantity": ("Quantity", dict),
}
WHOLE: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "dateTime": datetime.fromisoformat,
    "time": time.fromisoformat,
}


@dataclass(frozen=True)
class Checked:
    """`answers` in stored form, with calculated answers from us, not from the file.

    They may be stored only if there are no `problems`.
    """

    answers: dict[str, list]
    problems: tuple[Problem, ...]


def check_response(questionnaire: Questionnaire, resource: dict) -> Checked:
    """Return the answers of `resource`, and the problems with it.

    Reasons, in addition to those of `checking.Problem`: unknown (linkId), twice (more often than allowed), place (an
    answer to a group, or questions beside an answer instead of below it), unit, unasked (an answer to an item of a type
    that we do not ask), disabled (an answer to a disabled question), total (differs from what we calculate), shape (not
    a list of JSON objects). Reported alone: status (one that is not imported, or not a QuestionnaireResponse),
    questionnaire (a response to another one, or to another version).
    """
    reader = _Reader(questionnaire)
    if resource.get("resourceType") != "QuestionnaireResponse" or resource.get("status") not in (
        "in-progress",
        "completed",
        "amended",
    ):
        return Checked({}, (Problem("", "status"),))
    if _names_another(questionnaire, resource.get("questionnaire")):
        return Checked({}, (Problem("", "questionnaire"),))
    reader.read(resource.get("item", []), questionnaire.pages)
    given = reader.answers
    answers = add_calculated(questionnaire, given)
    problems = [*reader.problems, *_check_answers(questionnaire, answers, resource["status"] != "in-progress")]
    for item in calculated_items(questionnaire):
        if item.link_id in given and not _is_same(item, given[item.link_id], answers.get(item.link_id, [])):
            problems.append(Problem(item.exported_id, "total"))
    return Checked(answers, tuple(problems))


def _names_another(questionnaire: Questionnaire, canonical: object) -> bool:
    """Return whether `canonical` ("url|version") has another url or version than `questionnaire`.

    A missing url or version never differs. Versions are compared only if `questionnaire` has a url.
    """
    url, _, version = canonical.partition("|") if isinstance(canonical, str) else ("", "", "")
    known = ((url, questionnaire.url), (version, questionnaire.version if questionnaire.url else ""))
    return any(given and ours and given != ours for given, ours in known)


def _is_same(item: Item, one: list, other: list) -> bool:
    return [comparable(item, value) for value in one] == [comparable(item, value) for value in other]


def _check_answers(questionnaire: Questionnaire, answers: dict[str, list], is_complete: bool) -> list[Problem]:
    enabled = enabled_items(questionnaire, answers)
    problems = []
    for item in (item for item in questionnaire.items.values() if item.is_question and not item.is_added):
        values = answers.get(item.link_id, [])
        problem = check_item(item, values)
        if item.link_id not in enabled:
            problem = Problem(item.link_id, "disabled") if values else None
        elif problem and problem.reason == "required" and not (is_complete and item.is_answerable):
            problem = None
        if problem:
            problems.append(Problem(item.exported_id, problem.reason))
    return problems


class _Reader:
    """Walks response and questionnaire in parallel, and collects answers and problems."""

    def __init__(self, questionnaire: Questionnaire):
        self.items = questionnaire.items
        self.answers: dict[str, list] = {}
        self.problems: list[Problem] = []

    def read(self, raw_items: object, items: tuple[Item, ...], inside: str = "") -> None:
        nodes: dict[str, list[Node]] = {}
        seen: Counter[str] = Counter()
        for node in nodes_of(items):
            nodes.setdefault(node.link_id, []).append(node)
        for raw in self._objects(raw_items, inside):
            link_id = raw.get("linkId", "") if isinstance(raw.get("linkId"), str) else ""
            same = nodes.get(link_id, [])
            place, seen[link_id] = seen[link_id], seen[link_id] + 1
            if place < len(same):
                self._read_item(raw, same[place])
            else:
                self.problems.append(Problem(link_id, "twice" if same else "unknown"))

    def _objects(self, raw: object, link_id: str) -> list[dict]:
        """Return the JSON objects in the list `raw`, and report anything else as a problem."""
        found = [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []
        if not isinstance(raw, list) or len(found) < len(raw):
            self.problems.append(Problem(link_id, "shape"))
        return found

    def _read_item(self, raw: dict, node: Node) -> None:
        item, given = node.parts[0], self._objects(raw.get("answer", []), node.link_id)
        if not item.is_question:
            if given:
                self.problems.append(Problem(node.link_id, "unasked" if item.type in UNASKED_TYPES else "place"))
            self._open_copy(item)
            self.read(raw.get("item", []), node.children, node.link_id)
            return
        if raw.get("item"):
            self.problems.append(Problem(node.link_id, "place"))
        for answer in given:
            value, reason = _read_value(item, answer)
            if reason:
                self.problems.append(Problem(node.link_id, reason))
            else:
                self.answers.setdefault(item.link_id, []).append(value)
            self.read(answer.get("item", []), node.children, node.link_id)

    def _open_copy(self, item: Item) -> None:
        """Answer the added question that enables a further copy of a repeating group."""
        for condition in item.conditions:
            if self.items[condition.question].is_added:
                self.answers[condition.question] = [True]


def _read_value(item: Item, answer: dict) -> tuple[object, str]:
    """Return (value in stored form, "") or (None, reason)."""
    found = typed_value(answer)
    if found is None:
        return None, "type"
    kind, value = found
    if item.type in CHOICE_TYPES:
        return _read_choice(item, kind, value)
    wanted_kind, wanted_class = WANTED[item.type]
    is_fitting = isinstance(value, wanted_class) and isinstance(value, bool) == (kind == "Boolean")
    if kind != wanted_kind or not is_fitting:
        return None, "type"
    if item.type == "quantity":
        return _read_quantity(item, value)
    if item.type in WHOLE:
        try:
            WHOLE[item.type](value)
        except ValueError:
            return None, "type"
    return (str(value) if item.type == "decimal" else value), ""


def _read_choice(item: Item, kind: str, value: Any) -> tuple[object, str]:
    if kind == "String" and item.type == "open-choice" and isinstance(value, str):
        is_listed = any(option.code == value and option.kind == "String" for option in item.options)
        return (value if is_listed else {"text": value}), ""
    is_record = isinstance(value, dict)
    code = (value.get("code") or value.get("reference") or value.get("display")) if is_record else value
    system = value.get("system", "") if is_record else ""
    for option in item.options:
        if option.kind == kind and option.code == str(code) and system in ("", option.system):
            return option.code, ""
    return None, "option" if any(option.kind == kind for option in item.options) else "type"


def _read_quantity(item: Item, value: dict) -> tuple[object, str]:
    number = value.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return None, "type"
    unit = value.get("unit") or value.get("code") or ""
    return (str(number), "") if unit == item.unit else (None, "unit")
