"""Check the format of the rule file: its keys, levels, sections, actions and conditions. Pure.

Unknown keys and values are refused, because a rule with a misspelled key would never fire. The error names the place.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

LEVELS = "EUT"  # worst first
DEADLINES = ("now", "same day", "24 h", "48 h", "1 week", "at the visit")  # soonest first
DEADLINES_OF = {"E": DEADLINES[:1], "U": DEADLINES[1:5], "T": DEADLINES[5:]}
SECTIONS = ("load", "compensation", "acute and joint", "bone", "goals")  # of the summary, in order
LONGEST_ID = 12
LIMITS = ("more_than", "at_least", "less_than", "at_most")
TESTS = {"is", "in", "answered", *LIMITS}

FILE: Mapping[str, type] = {
    "title": str,
    "version": int,
    "sign_off": str,
    "actions": dict,
    "conditions": dict,
    "rules": list,
    "signals": list,
}
ACTION: Mapping[str, type] = {"heading": str, "text": str, "steps": list}
RULE: Mapping[str, type] = {"id": str, "version": int, "question": str, "concern": str, "source": str, "cases": list}
CASE: Mapping[str, type] = {"level": str, "deadline": str, "when": dict}
SIGNAL: Mapping[str, type] = {
    "id": str,
    "version": int,
    "section": str,
    "title": str,
    "output": str,
    "source": str,
    "when": dict,
}
# For each form of condition: the key that identifies it, and all keys that it may have.
FORMS = {
    "any": {"any"},
    "all": {"all"},
    "not": {"not"},
    "of": {"of", "at_least"},
    "condition": {"condition"},
    "fired": {"fired"},
    "ratio_of": {"ratio_of", "more_than"},
    "item": {"item", "unsure_in", *TESTS},
}


class RulesInvalid(ValueError):
    """The rules are malformed or read questions that are not asked."""


def check_format(data: dict) -> None:
    """Check a rule file. Raises RulesInvalid for the first error, naming the rule or the part."""
    _require(data, FILE, "the file")
    _check_actions(data["actions"])
    for raw in data["rules"]:
        _check_rule(raw)
    for raw in data["signals"]:
        _require(raw, SIGNAL, f"signal {_name(raw)}")
        if raw["section"] not in SECTIONS:
            raise RulesInvalid(f"{raw['id']}: there is no section {raw['section']!r}, so it would never be shown")
    ids = [raw["id"] for raw in (*data["rules"], *data["signals"])]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise RulesInvalid(f"the id {min(twice)} is used twice")
    _check_conditions(data)


def _check_actions(actions: dict) -> None:
    if set(actions) != set(DEADLINES):
        raise RulesInvalid(f"actions: one for each of {', '.join(DEADLINES)}, and no other")
    for deadline, raw in actions.items():
        _require(raw, ACTION, f"action {deadline}")
        _require_texts(raw["steps"], f"action {deadline}: steps", is_empty_allowed=True)


def _check_rule(raw: dict) -> None:
    _require(raw, RULE, f"rule {_name(raw)}")
    if len(raw["id"]) > LONGEST_ID or not raw["cases"]:
        raise RulesInvalid(f"{raw['id']}: an id of at most {LONGEST_ID} characters and at least one case are needed")
    for case in raw["cases"]:
        _require(case, CASE, raw["id"], optional={"is_conservative": bool})
        if case["deadline"] not in DEADLINES_OF.get(case["level"], ()):
            raise RulesInvalid(f"{raw['id']}: unknown level or deadline, or two that do not go together")


def _check_conditions(data: dict) -> None:
    """Check every condition. Only a signal's own condition may read flags, because the rules decide the flags."""
    named, rules = data["conditions"], {raw["id"] for raw in data["rules"]}
    for name, when in named.items():
        _check_when(when, f"condition {name}", named, frozenset())
        _check_cycle(name, named, ())
    for raw in data["rules"]:
        for case in raw["cases"]:
            _check_when(case["when"], raw["id"], named, frozenset())
    for raw in data["signals"]:
        _check_when(raw["when"], raw["id"], named, rules)


def _check_when(when: object, place: str, named: dict, rules: Collection[str]) -> None:
    if not isinstance(when, dict) or len(forms := FORMS.keys() & when.keys()) != 1:
        raise RulesInvalid(f"{place}: {when} is not a condition")
    (form,) = forms
    if unknown := when.keys() - FORMS[form]:
        raise RulesInvalid(f"{place}: unknown key {min(unknown)!r} in {when}")
    if form in ("any", "all", "of"):
        _check_parts(when, form, place)
        for part in when[form]:
            _check_when(part, place, named, rules)
    elif form == "not":
        _check_when(when["not"], place, named, rules)
    elif form == "condition":
        if when["condition"] not in named:
            raise RulesInvalid(f"{place}: there is no condition {when['condition']!r}")
    elif form == "fired":
        _require_texts(when["fired"], f"{place}: fired")
        if unknown := set(when["fired"]).difference(rules):
            raise RulesInvalid(f"{place}: it cannot read a flag of {min(unknown)}")
    else:
        _check_leaf(when, place)


def _check_parts(when: dict, form: str, place: str) -> None:
    parts = when[form]
    if not isinstance(parts, list) or not parts:
        raise RulesInvalid(f"{place}: {form!r} needs a list of conditions")
    if form == "of" and not (_is_count(when.get("at_least")) and when["at_least"] <= len(parts)):
        raise RulesInvalid(f"{place}: 'of' needs an 'at_least' from 1 to {len(parts)}")


def _check_leaf(when: dict, place: str) -> None:
    tests = TESTS & when.keys()
    if len(tests) != 1:
        raise RulesInvalid(f"{place}: {when} needs exactly one test")
    (test,) = tests
    if "ratio_of" in when:
        _require_texts(when["ratio_of"], f"{place}: ratio_of")
        if len(when["ratio_of"]) != 2:
            raise RulesInvalid(f"{place}: a ratio needs two questions")
    else:
        names = [when["item"], *([when["unsure_in"]] if "unsure_in" in when else [])]
        _require_texts(names, f"{place}: item")
    if "unsure_in" in when and test not in ("is", "in"):
        raise RulesInvalid(f"{place}: 'unsure_in' goes with 'is' or 'in'")
    if test in LIMITS:
        _require_number(when[test], place)
    elif test == "answered":
        if not isinstance(when["answered"], bool):
            raise RulesInvalid(f"{place}: 'answered' is true or false")
    else:
        _require_texts(when["in"] if test == "in" else [when["is"]], f"{place}: {test}")


def _check_cycle(name: str, named: dict, path: tuple[str, ...]) -> None:
    if name in path:
        raise RulesInvalid(f"condition {name} refers to itself")
    for inner in _conditions_in(named[name]):
        _check_cycle(inner, named, (*path, name))


def _conditions_in(when: dict) -> Iterable[str]:
    for form in ("any", "all", "of"):
        for part in when.get(form, ()):
            yield from _conditions_in(part)
    if "not" in when:
        yield from _conditions_in(when["not"])
    if "condition" in when:
        yield when["condition"]


def _require(
    raw: object, wanted: Mapping[str, type], place: str, *, optional: Mapping[str, type] = MappingProxyType({})
) -> None:
    """Raise RulesInvalid unless `raw` has all keys of `wanted`, else only those of `optional`, and their types.

    Strings must not be blank, and integers must be at least 1.
    """
    if not isinstance(raw, dict):
        raise RulesInvalid(f"{place}: not an object")
    if missing := wanted.keys() - raw.keys():
        raise RulesInvalid(f"{place}: {min(missing)!r} is missing")
    if unknown := raw.keys() - wanted.keys() - optional.keys():
        raise RulesInvalid(f"{place}: unknown key {min(unknown)!r}")
    for key, value in raw.items():
        kind = wanted.get(key) or optional[key]
        is_blank = isinstance(value, str) and not value.strip()
        if not isinstance(value, kind) or (kind is int and not _is_count(value)) or is_blank:
            raise RulesInvalid(f"{place}: {key!r} cannot be {value!r}")


def _require_texts(values: object, place: str, *, is_empty_allowed: bool = False) -> None:
    are_texts = isinstance(values, list) and all(isinstance(one, str) and one.strip() for one in values)
    if not are_texts or not (values or is_empty_allowed):
        raise RulesInvalid(f"{place}: a list of texts is needed, not {values!r}")


def _require_number(value: object, place: str) -> None:
    """Check that `value` is a finite decimal as a string, the format of all limits."""
    try:
        if isinstance(value, str) and Decimal(value).is_finite():
            return
    except InvalidOperation:
        pass
    raise RulesInvalid(f"{place}: {value!r} is not a number written as text")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _name(raw: object) -> str:
    return str(raw.get("id", "without an id")) if isinstance(raw, dict) else "that is not an object"
