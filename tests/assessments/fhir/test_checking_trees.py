"""The check of responses, compared with a naive one, for nested and repeating groups."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.fhir.response_checking import check_response
from assessments.fhir_json.parsing import parse_questionnaire
from tests.assessments.fhir_examples import extension

KINDS = ("integer", "string", "choice", "boolean")
LIMITS = [extension("minValue", valueInteger=0), extension("maxValue", valueInteger=10)]
GOOD = {
    "integer": [{"valueInteger": 0}, {"valueInteger": 7}],
    "string": [{"valueString": "x"}, {"valueString": "yy"}],
    "choice": [{"valueCoding": {"code": "a"}}, {"valueCoding": {"code": "b"}}],
    "boolean": [{"valueBoolean": True}, {"valueBoolean": False}],
}
BAD = [{"valueInteger": 11}, {"valueInteger": -1}, {"valueString": "far too long"}, {"valueCoding": {"code": "z"}}]
BAD += [{"valueBoolean": "true"}, {}, {"valueInteger": 1, "valueString": "x"}]
KEY = {"integer": "Integer", "string": "String", "choice": "Coding", "boolean": "Boolean"}
MOST = 3


@st.composite
def items(draw, names, outside, depth=0):
    """Draw items with conditions on earlier questions, in the same group or in the groups around it (`outside`)."""
    found, before = [], []
    for _ in range(draw(st.integers(1, 4))):
        item = {"linkId": f"i{next(names)}", "text": "?"}
        if before + outside and draw(st.integers(0, 2)) == 0:
            item["enableWhen"] = [draw(conditions(before + outside))]
        if depth < 3 and draw(st.booleans()):
            item |= {"type": "group", "item": draw(items(names, outside + before, depth + 1))}
            if draw(st.booleans()):
                item |= {"repeats": True, "extension": [extension("questionnaire-maxOccurs", valueInteger=MOST)]}
        else:
            item |= draw(questions())
            before.append(item)
        found.append(item)
    return found


@st.composite
def questions(draw):
    kind = draw(st.sampled_from(KINDS))
    asked = {"type": kind, "required": draw(st.booleans())}
    if kind == "choice":
        asked |= {"repeats": draw(st.booleans())}
        asked |= {"answerOption": [{"valueCoding": {"code": "a"}}, {"valueCoding": {"code": "b"}}]}
    return asked | ({"extension": LIMITS} if kind == "integer" else {"maxLength": 5} if kind == "string" else {})


@st.composite
def conditions(draw, targets):
    target = draw(st.sampled_from(targets))
    if draw(st.booleans()):
        return {"question": target["linkId"], "operator": "exists", "answerBoolean": draw(st.booleans())}
    value = next(iter(draw(st.sampled_from(GOOD[target["type"]])).values()))
    operator = draw(st.sampled_from(["=", "!="]))
    return {"question": target["linkId"], "operator": operator, f"answer{KEY[target['type']]}": value}


@st.composite
def answered(draw, asked):
    """Draw a response to the items `asked`, mostly valid, in the order asked or shuffled."""
    sent = []
    for item in asked:
        if item["type"] == "group":
            most = MOST + 1 if item.get("repeats") else 2
            for _ in range(draw(st.integers(0, most))):
                sent.append({"linkId": item["linkId"], "item": draw(answered(item["item"]))})
        else:
            for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2]))):
                answer = st.sampled_from(GOOD[item["type"]] * 3 + BAD)
                sent.append({"linkId": item["linkId"], "answer": draw(st.lists(answer, max_size=2))})
    if draw(st.integers(0, 9)) == 0:
        sent.append({"linkId": "nowhere", "answer": [{"valueString": "x"}]})
    return draw(st.permutations(sent)) if draw(st.booleans()) else sent


def value_of(item, answer):
    """Return (value, None) for a valid answer, (None, reason) for an invalid one."""
    key = f"value{KEY[item['type']]}"
    kinds = {"integer": int, "string": str, "choice": dict, "boolean": bool}
    right = list(answer) == [key] and isinstance(answer[key], kinds[item["type"]])
    if not right or (item["type"] == "integer" and isinstance(answer[key], bool)):
        return None, "type"
    if item["type"] == "choice" and answer[key]["code"] not in "ab":
        return None, "option"
    return (answer[key]["code"] if item["type"] == "choice" else answer[key]), None


def naive_faults(asked, sent, outer, is_on=True):
    """Return the problems in the items of a group. `outer`: the values of questions in the groups around it."""
    faults = [("nowhere", "unknown") for one in sent if one["linkId"] == "nowhere"]
    known, here = {item["linkId"] for item in asked}, {}
    assert {one["linkId"] for one in sent} <= known | {"nowhere"}
    for item in asked:
        mine = [one for one in sent if one["linkId"] == item["linkId"]]
        on = is_on and all(holds(condition, {**outer, **here}) for condition in item.get("enableWhen", []))
        most = MOST if item.get("repeats") and item["type"] == "group" else 1
        faults += [(item["linkId"], "twice")] * max(0, len(mine) - most)
        if item["type"] == "group":
            for one in mine[:most] or [{"item": []}]:
                faults += naive_faults(item["item"], one["item"], {**outer, **here}, on)
            continue
        read = [value_of(item, answer) for one in mine[:1] for answer in one["answer"]]
        faults += [(item["linkId"], reason) for _, reason in read if reason]
        values = [value for value, reason in read if not reason]
        here[item["linkId"]] = values if on else []
        if reason := naive_fault(item, values, on):
            faults.append((item["linkId"], reason))
    return faults


def naive_fault(item, values, on):
    if not on:
        return "disabled" if values else None
    if not values:
        return "required" if item["required"] else None
    if len(values) > 1 and not item.get("repeats"):
        return "one"
    if item["type"] == "integer":
        return next((("above" if value > 10 else "below") for value in values if not 0 <= value <= 10), None)
    return "long" if item["type"] == "string" and any(len(value) > 5 for value in values) else None


def holds(condition, values):
    given = values[condition["question"]]
    if condition["operator"] == "exists":
        return bool(given) == condition["answerBoolean"]
    wanted = next(value for key, value in condition.items() if key.startswith("answer"))
    wanted = wanted["code"] if isinstance(wanted, dict) else wanted
    return (wanted in given) == (condition["operator"] == "=")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_problems_agree_with_a_naive_check_when_repeating_groups_are_nested(data):
    names = iter(range(1000))
    asked = data.draw(items(names, []))
    parsed = parse_questionnaire({"resourceType": "Questionnaire", "title": "Tree", "item": asked})
    sent = data.draw(answered(asked))
    checked = check_response(parsed, {"resourceType": "QuestionnaireResponse", "status": "completed", "item": sent})
    found = Counter((problem.link_id, problem.reason) for problem in checked.problems)
    assert found == Counter(naive_faults(asked, sent, {}))
