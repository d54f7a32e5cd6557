"""Cases of enableWhen for the server and for the page's script.

`kind`: the type of the question. `typed`: the text or the checked options. `value`: the value to compare with.
`more`: further attributes of the item. `other`: the text in the field "Something else".
"""

from dataclasses import replace
from typing import NamedTuple

from assessments.fhir_json.parsing import parse_questionnaire
from assessments.forms.page_form import PageForm
from assessments.questionnaire.model import Item, Questionnaire

KEYS = {
    "boolean": "answerBoolean",
    "integer": "answerInteger",
    "decimal": "answerDecimal",
    "quantity": "answerDecimal",
    "date": "answerDate",
    "dateTime": "answerDateTime",
    "time": "answerTime",
    "string": "answerString",
    "text": "answerString",
    "url": "answerUri",
    "choice": "answerCoding",
    "open-choice": "answerCoding",
}
MILES = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
            "valueCoding": {"code": "[mi_us]", "display": "miles"},
        }
    ]
}
COLORS = {"answerOption": [{"valueCoding": {"code": "red"}}, {"valueCoding": {"code": "blue"}}]}
SPACED = {"answerOption": [{"valueString": "Yes "}, {"valueString": "No"}]}
NUMBERED = {"answerOption": [{"valueInteger": 3}, {"valueInteger": 12}]}
MANY = {"repeats": True}
SCALE = {
    "extension": [
        {"url": "urn:runclinic:layout", "valueCode": "scale"},
        {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueInteger": 0},
        {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueInteger": 10},
    ]
}


class Case(NamedTuple):
    kind: str
    typed: str | list[str]
    operator: str
    value: object
    is_asked: bool
    more: dict = {}
    other: str = ""


CASES = [
    Case("decimal", "12,5", ">", 10, True),
    Case("decimal", "12,5", ">", 12.5, False),
    Case("decimal", "100", ">", 30.5, True),
    Case("decimal", "9", ">", 30.5, False),
    Case("decimal", "2.50", "=", 2.5, True),
    Case("decimal", "2.5", "!=", 2.5, False),
    Case("decimal", "1,000", ">", 999, True),
    Case("decimal", "1,000", "=", 1, False),
    Case("decimal", "1.000,5", "=", 1000.5, True),
    Case("decimal", "0,125", "=", 0.125, True),
    Case("decimal", "½", "=", 0.5, True),
    Case("decimal", "2½", "<", 3, True),
    Case("decimal", "2 1/2", "=", 2.5, True),
    Case("decimal", "11/2", "exists", True, True),
    Case("decimal", "11/2", ">=", 0, False),
    Case("decimal", ".5", "=", 0.5, True),
    Case("decimal", "5.", "<=", 5, True),
    Case("decimal", "-3", "<", 0, True),
    Case("decimal", "−3", "<", 0, True),
    Case("decimal", "+3", "=", 3, True),
    Case("decimal", "1e2", "=", 100, True),
    Case("decimal", "1e400", ">", 5, True),
    Case("decimal", "1_000", ">", 5, False),
    Case("decimal", "١٢", ">", 5, False),
    Case("decimal", "seven", ">", 5, False),
    Case("decimal", "seven", "!=", 7, True),
    Case("decimal", "", "!=", 7, True),
    Case("decimal", "", "exists", False, True),
    Case("decimal", "   ", "exists", True, False),
    Case("decimal", "\u200b 7 ", "=", 7, True),
    Case("decimal", "20 mi", "=", 20, True, MILES),
    Case("decimal", "12 Miles", ">=", 12, True, MILES),
    Case("decimal", "½ mile", "=", 0.5, True, MILES),
    Case("decimal", "20 km", ">", 5, False, MILES),
    Case("decimal", "20 mi", ">", 5, False),
    Case("quantity", "1,250 mi.", ">", 1000, True, MILES),
    Case("integer", " 7 ", "=", 7, True),
    Case("integer", "07", "=", 7, True),
    Case("integer", "7.0", "=", 7, True),
    Case("integer", "1,000", ">", 500, True),
    Case("integer", "7.5", ">", 7, True),
    Case("integer", "99999999999999", ">", 7, True),
    Case("integer", ["10"], ">", 9, True, SCALE),
    Case("integer", ["0"], "exists", True, True, SCALE),
    Case("integer", [], "<=", 3, False, SCALE),
    Case("boolean", ["true"], "=", True, True),
    Case("boolean", ["false"], "=", True, False),
    Case("boolean", ["false"], "!=", True, True),
    Case("boolean", [], "exists", True, False),
    Case("string", " hills ", "=", "hills", True),
    Case("string", "Hills", "=", "hills", False),
    Case("string", "hi\u202ells", "=", "hills", True),
    Case("string", "x", "!=", "y", True),
    Case("string", "\u202e", "exists", True, False),
    Case("text", "one\ntwo", "=", "one\ntwo", True),
    Case("string", "one\ntwo", "=", "two", True, MANY),
    Case("string", "one\n\n two \n", "=", "two", True, MANY),
    Case("string", "one two", "=", "two", False, MANY),
    Case("decimal", "3\n12,5", ">", 10, True, MANY),
    Case("url", " https://example.com ", "=", "https://example.com", True),
    Case("date", "2026-11-20", ">", "2026-11-01", True),
    Case("date", "2026-11-20", "=", "2026-11-20", True),
    Case("date", "0026-11-20", ">", "2026-11-01", True),
    Case("date", "0087-04-30", "<", "2000-01-01", True),
    Case("date", "", "<", "2026-11-01", False),
    Case("time", "14:30", "=", "14:30:00", True),
    Case("time", "14:30", "<=", "14:30:00", True),
    Case("time", "09:05", "<", "14:30:00", True),
    Case("time", "", "exists", False, True),
    Case("dateTime", "2026-11-20T14:30", "=", "2026-11-20T14:30:00", True),
    Case("dateTime", "2026-11-20T14:30", ">=", "2026-11-20T14:30:00-05:00", True),
    Case("dateTime", "2026-11-20T14:29", ">=", "2026-11-20T14:30:00", False),
    Case("choice", ["red"], "=", "red", True, COLORS),
    Case("choice", ["red"], "=", "blue", False, COLORS),
    Case("choice", ["red", "blue"], "=", "blue", True, COLORS | MANY),
    Case("choice", ["red", "blue"], "!=", "blue", False, COLORS | MANY),
    Case("choice", [], "!=", "blue", True, COLORS),
    Case("choice", ["Yes "], "=", "Yes ", True, SPACED),
    Case("choice", ["12"], "=", 12, True, NUMBERED),
    Case("open-choice", [], "exists", True, True, COLORS, other="green"),
    Case("open-choice", [], "exists", True, False, COLORS, other="  "),
    Case("open-choice", [], "=", "red", True, COLORS, other=" red"),
    Case("open-choice", ["blue"], "=", "red", False, COLORS, other="green"),
    Case("open-choice", ["blue"], "exists", False, False, COLORS),
]


def build_page() -> tuple[Questionnaire, Item]:
    """Return one page with the question and the follow-up of every case: q0, f0, q1, f1, …"""
    items = [item for number, case in enumerate(CASES) for item in _build(number, case)]
    page = Item("page", "group", items=tuple(items))
    return Questionnaire("", "1", "Cases", "", (page,)), page


def _build(number: int, case: Case) -> tuple[Item, ...]:
    key, value = KEYS[case.kind], case.value
    if case.operator == "exists":
        key = "answerBoolean"
    elif case.kind in ("choice", "open-choice"):
        key, value = ("answerInteger", value) if isinstance(value, int) else (key, {"code": value})
    condition = {"question": f"q{number}", "operator": case.operator, key: value}
    question = {"linkId": f"q{number}", "type": case.kind, "text": f"Question {number}", **case.more}
    follow_up = {"linkId": f"f{number}", "type": "string", "text": f"Follow-up {number}", "enableWhen": [condition]}
    parsed = parse_questionnaire({"resourceType": "Questionnaire", "item": [question, follow_up]})
    return tuple(replace(parsed.items[f"{letter}{number}"], parent="page") for letter in "qf")


def shown_form() -> PageForm:
    """Return the page of the cases as it is first shown."""
    questionnaire, page = build_page()
    return PageForm(questionnaire=questionnaire, page=page, answers={})
