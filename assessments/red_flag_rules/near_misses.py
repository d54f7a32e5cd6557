"""Explain why a rule did not fire, or a signal does not hold, although part of its condition holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from assessments.known_questions import AGE, BODY_SITE
from assessments.questionnaire.model import Item
from assessments.questionnaire.readable import answer_text
from assessments.red_flag_rules.evaluation import COMPARE, Rules, answered_ratio, holds

CONTEXT = {BODY_SITE, AGE}  # not enough alone to call a rule "close"
NEAR = Decimal(1)  # largest distance from a limit that counts as just missed; meant for the 0 to 10 scales
COMPARISONS = {"more_than": "more than", "at_least": "at least", "less_than": "less than", "at_most": "at most"}


@dataclass(frozen=True, slots=True)
class Nearness:
    """How close a condition is to holding. It would hold if `needed` of the `unmet` leaves held, too."""

    met: tuple[dict, ...] = ()
    unmet: tuple[dict, ...] = ()
    needed: int = 0


def measure_nearness(rules: Rules, when: dict, answers: dict, *, fired: frozenset[str] = frozenset()) -> Nearness:
    """Measure how close `when` is to holding.

    Of alternatives, use the one with the most met leaves outside CONTEXT, then the fewest needed.
    """

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
    """Return whether the condition nearly holds.

    It does not hold, but a leaf outside CONTEXT does, a number just missed its limit, or an unmet ratio is above 1.
    """
    return near.needed > 0 and (_weight(near) > 0 or any(_just_missed(leaf, answers) for leaf in near.unmet))


def describe_nearness(near: Nearness, items: Mapping[str, Item], answers: dict[str, list]) -> str:
    """Return a text for the therapist on the unmet leaves and the answers given: "needs 1 more of: …"."""
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


def _describe(leaf: dict, items: Mapping[str, Item], answers: dict[str, list]) -> str:
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


def _wanted(leaf: dict, items: Mapping[str, Item]) -> str:
    for name, text in COMPARISONS.items():
        if name in leaf:
            return f"{text} {leaf[name]}"
    if "answered" in leaf:
        return "answered" if leaf["answered"] else "left out"
    codes = leaf.get("in", [leaf.get("is")])
    item = items.get(leaf["item"])
    return " or ".join(f"“{item.option_text(code) if item else code}”" for code in codes)


def _given(name: str, items: Mapping[str, Item], answers: dict[str, list]) -> str:
    item = items.get(name)
    if item is None:
        return f"{name} (not asked)"
    text = answer_text(item, answers.get(name, [])).replace("\n", "; ")
    return f"{item.label} ({text})" if answers.get(name) else f"{item.label} (not answered)"
