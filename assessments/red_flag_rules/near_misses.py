"""Why a rule did not fire although part of it holds: what was there, and what was missing. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from assessments.known_questions import AGE, BODY_SITE
from assessments.questionnaire.model import Item
from assessments.questionnaire.readable import answer_text
from assessments.red_flag_rules.evaluation import COMPARE, Rules, answered_ratio, holds

CONTEXT = {BODY_SITE, AGE}  # by themselves they make no rule "close"
NEAR = Decimal(1)  # on the 0 to 10 scales
WORDS = {"more_than": "more than", "at_least": "at least", "less_than": "less than", "at_most": "at most"}


@dataclass(frozen=True, slots=True)
class Nearness:
    """Leaves of a condition that hold (`met`) and the fewest that would still be needed (`unmet`)."""

    met: tuple[dict, ...] = ()
    unmet: tuple[dict, ...] = ()
    needed: int = 0  # of `unmet`


def measure_nearness(rules: Rules, when: dict, answers: dict, *, fired: frozenset[str] = frozenset()) -> Nearness:
    """How far `when`, which does not hold, is from holding. Of alternatives, the one that most of speaks for."""

    def sub(part: dict) -> Nearness:
        return measure_nearness(rules, part, answers, fired=fired)

    def is_met(part: dict) -> bool:
        return holds(rules, part, answers, unsure_is_yes=False, fired=fired)

    if "condition" in when:
        return sub(rules.conditions[when["condition"]])
    if "any" in when:
        return max((sub(part) for part in when["any"]), key=lambda one: (_weight(one), -one.needed))
    if "all" in when or "of" in when:
        parts = when.get("all") or when["of"]
        near = [sub(part) for part in parts]
        met = tuple(leaf for one in near for leaf in one.met)
        unmet = tuple(leaf for one in near for leaf in one.unmet)
        if "of" in when:
            return Nearness(met, unmet, when["at_least"] - sum(is_met(part) for part in parts))
        return Nearness(met, unmet, sum(one.needed for one in near))
    if is_met(when):
        return Nearness(met=() if "not" in when else (when,))
    return Nearness(unmet=(when,), needed=1)


def is_close(near: Nearness, answers: dict[str, list]) -> bool:
    """Whether a therapist may want to know: something beyond place and age holds, or a number just missed its limit."""
    return near.needed > 0 and (_weight(near) > 0 or any(_just_missed(leaf, answers) for leaf in near.unmet))


def describe_nearness(near: Nearness, items: dict[str, Item], answers: dict[str, list]) -> str:
    """What is missing, in a therapist's words: "needs one more of: …", with the answer that was given."""
    missing = [_describe(leaf, items, answers) for leaf in near.unmet]
    if near.needed < len(missing):
        return f"needs {near.needed} more of: {'; '.join(missing)}"
    return f"needs {' and '.join(missing)}"


def _weight(near: Nearness) -> int:
    return sum(leaf.get("item") not in CONTEXT for leaf in near.met)


def _just_missed(leaf: dict, answers: dict[str, list]) -> bool:
    if "ratio_of" in leaf:
        ratio = answered_ratio(answers, *leaf["ratio_of"])
        return ratio is not None and ratio > 1
    limit = next((Decimal(leaf[name]) for name in COMPARE if name in leaf), None)
    given = answers.get(leaf.get("item", ""), [])
    return limit is not None and any(abs(Decimal(str(value)) - limit) <= NEAR for value in given)


def _describe(leaf: dict, items: dict[str, Item], answers: dict[str, list]) -> str:
    if "not" in leaf:
        held = _describe(leaf["not"], items, answers)
        return held.replace(" to be ", " not to be ", 1) if "item" in leaf["not"] else f"not {held}"
    if "fired" in leaf:
        return f"a flag of {', '.join(leaf['fired'])}"
    if "ratio_of" in leaf:
        upper, lower = leaf["ratio_of"]
        return (
            f"{_given(upper, items, answers)} over {_given(lower, items, answers)} to be more than {leaf['more_than']}"
        )
    if "item" not in leaf:
        return "another condition"
    return f"{_given(leaf['item'], items, answers)} to be {_wanted(leaf, items)}"


def _wanted(leaf: dict, items: dict[str, Item]) -> str:
    for name, words in WORDS.items():
        if name in leaf:
            return f"{words} {leaf[name]}"
    if "answered" in leaf:
        return "answered" if leaf["answered"] else "left out"
    codes = leaf.get("in", [leaf.get("is")])
    item = items.get(leaf["item"])
    return " or ".join(f"“{item.option_text(code) if item else code}”" for code in codes)


def _given(name: str, items: dict[str, Item], answers: dict[str, list]) -> str:
    item = items.get(name)
    if item is None:
        return f"{name} (not asked)"
    text = answer_text(item, answers.get(name, [])).replace("\n", "; ")
    return f"{item.label} ({text})" if answers.get(name) else f"{item.label} (not answered)"
