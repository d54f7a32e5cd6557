"""Evaluate the red-flag rules, which are data, over a patient's answers. Pure.

A rule has one or more cases, each with a level, a deadline and a condition over answers. It fires with the worst case
that holds. The caller omits answers to disabled questions. The rules never name a disease to the patient or give a
probability. They do not compute a REDs color, because a physician assigns it (doi:10.1136/bjsports-2023-106914).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from assessments.red_flag_rules.format import DEADLINES, LEVELS, RulesInvalid, check_format
from education.body.load_bands import distance_ratio

UNSURE = "unsure"
UNSURE_RULES = "UN"  # prefix of the ids of rules about an unresolved "not sure"
COMPARE = {
    "more_than": lambda value, limit: value > limit,
    "at_least": lambda value, limit: value >= limit,
    "less_than": lambda value, limit: value < limit,
    "at_most": lambda value, limit: value <= limit,
}


@dataclass(frozen=True, slots=True)
class RuleCase:
    level: str
    deadline: str
    when: dict
    is_conservative: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `concern` is shown to therapists only. In `is_conservative` cases, the level is our choice."""

    id: str
    version: int
    question: str
    concern: str
    source: str
    cases: tuple[RuleCase, ...]

    @property
    def is_about_unsure(self) -> bool:
        """Whether the rule fires on a "not sure" with an unanswered follow-up, rather than on a warning sign."""
        return is_about_unsure(self.id)


@dataclass(frozen=True, slots=True)
class Signal:
    """One line of the therapist's summary: a condition over answers and flags. Never shown to the patient."""

    id: str
    version: int
    section: str
    title: str
    output: str
    source: str
    when: dict


@dataclass(frozen=True)
class Action:
    """The instructions that the patient sees for one deadline."""

    heading: str
    text: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    title: str
    version: int
    sign_off: str
    actions: dict[str, Action]
    conditions: dict[str, dict]
    rules: tuple[Rule, ...]
    signals: tuple[Signal, ...]

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired: the level and deadline of its worst case that holds, and the answers that this case read."""

    rule_id: str
    rule_version: int
    level: str
    deadline: str
    snapshot: dict[str, list]


def is_about_unsure(rule_id: str) -> bool:
    """Return whether `rule_id` is the id of a rule about an unresolved "not sure", current or withdrawn."""
    return rule_id.startswith(UNSURE_RULES)


def parse_rules(data: dict) -> Rules:
    """Parse the rules of a definition file. Raises RulesInvalid, which names the rule or the part."""
    check_format(data)
    return Rules(
        title=data["title"],
        version=data["version"],
        sign_off=data["sign_off"],
        actions={key: Action(**{**raw, "steps": tuple(raw["steps"])}) for key, raw in data["actions"].items()},
        conditions=data["conditions"],
        rules=tuple(
            Rule(**{**raw, "cases": tuple(RuleCase(**case) for case in raw["cases"])}) for raw in data["rules"]
        ),
        signals=tuple(Signal(**raw) for raw in data["signals"]),
    )


def evaluate(rules: Rules, answers: dict[str, list]) -> tuple[Fired, ...]:
    """Return the rules that fire on `answers` ({linkId: [value, …]}, enabled questions only), worst first.

    "Unsure" counts as yes for the levels emergency and urgent, and as no for the level "tell the therapist".
    """
    fired = [hit for rule in rules.rules if (hit := _evaluate_rule(rules, rule, answers))]
    return tuple(sorted(fired, key=urgency))


def urgency(fired: Fired) -> tuple[int, int, str]:
    """Return a sort key: worst level first, then the soonest deadline, then the rule's id."""
    return LEVELS.index(fired.level), DEADLINES.index(fired.deadline), fired.rule_id


def is_sooner(deadline: str, *, than: str) -> bool:
    """Return whether `deadline` is sooner than `than`."""
    return DEADLINES.index(deadline) < DEADLINES.index(than)


def without_unsure(answers: dict[str, list], questions: set[str]) -> dict[str, list]:
    """Return `answers` without "not sure" in `questions`, whose follow-ups the patient has not seen yet."""
    kept = {
        name: [value for value in values if not (name in questions and value == UNSURE)]
        for name, values in answers.items()
    }
    return {name: values for name, values in kept.items() if values}


def holding_signals(rules: Rules, fired: frozenset[str], answers: dict[str, list]) -> tuple[Signal, ...]:
    """Return the signals that hold, given the ids of the rules that `fired`. They are hypotheses, not findings."""
    return tuple(one for one in rules.signals if holds(rules, one.when, answers, unsure_is_yes=True, fired=fired))


def read_inputs(rules: Rules, when: dict, answers: dict[str, list]) -> dict[str, list]:
    """Return the answers that `when` reads, without unanswered questions."""
    read = {name for leaf in leaves(rules, when) for name in items_read(leaf)}
    return {name: list(values) for name, values in answers.items() if name in read and values}


def narrow_inputs(rules: Rules, whens: list[dict], answers: dict[str, list]) -> dict[str, list]:
    """Return `answers`, reduced to "unsure" and the options that `whens` test for.

    An answer without any of these, or to a question whose options are not tested, is returned whole.
    """
    wanted: dict[str, set] = {}
    for leaf in (leaf for when in whens for leaf in leaves(rules, when) if codes_read(leaf)):
        for name in items_read(leaf):
            wanted.setdefault(name, {UNSURE}).update(codes_read(leaf))
    return {
        name: [value for value in values if value in wanted.get(name, values)] or values
        for name, values in answers.items()
    }


def rules_read(rules: Rules, when: dict) -> frozenset[str]:
    """Return the ids of the rules whose flags `when` reads."""
    return frozenset(name for leaf in leaves(rules, when) for name in leaf.get("fired", ()))


def _evaluate_rule(rules: Rules, rule: Rule, answers: dict[str, list]) -> Fired | None:
    for case in sorted(rule.cases, key=lambda case: (LEVELS.index(case.level), DEADLINES.index(case.deadline))):
        if holds(rules, case.when, answers, unsure_is_yes=case.level in "EU"):
            snapshot = read_inputs(rules, case.when, answers)
            return Fired(rule.id, rule.version, case.level, case.deadline, snapshot)
    return None


def holds(rules: Rules, when: dict, answers: dict, *, unsure_is_yes: bool, fired: frozenset[str] = frozenset()) -> bool:
    """Return whether the condition `when` holds.

    `unsure_is_yes`: "unsure" counts as yes. Inside a "not", it counts as no, so that it does not prevent a flag.
    """

    def sub(part: dict, unsure: bool = unsure_is_yes) -> bool:
        return holds(rules, part, answers, unsure_is_yes=unsure, fired=fired)

    if "any" in when:
        return any(sub(part) for part in when["any"])
    if "all" in when:
        return all(sub(part) for part in when["all"])
    if "not" in when:
        return not sub(when["not"], False)
    if "of" in when:
        return sum(sub(part) for part in when["of"]) >= when["at_least"]
    if "condition" in when:
        return sub(rules.conditions[when["condition"]])
    if "fired" in when:
        return not fired.isdisjoint(when["fired"])
    if "ratio_of" in when:
        ratio = answered_ratio(answers, *when["ratio_of"])
        return ratio is not None and ratio > Decimal(when["more_than"])
    return _leaf_holds(when, answers, unsure_is_yes)


def _leaf_holds(leaf: dict, answers: dict[str, list], unsure_is_yes: bool) -> bool:
    given = answers.get(leaf["item"], [])
    if "answered" in leaf:
        return bool(given) == leaf["answered"]
    for name, compare in COMPARE.items():
        if name in leaf:
            return any(compare(Decimal(str(value)), Decimal(leaf[name])) for value in given)
    wanted = leaf["in"] if "in" in leaf else [leaf["is"]]
    if any(value in wanted for value in given):
        return True
    if not unsure_is_yes:
        return False
    if "unsure_in" in leaf:
        return any(value in wanted for value in answers.get(leaf["unsure_in"], []))
    return UNSURE in given


def answered_ratio(answers: dict[str, list], distance: str, longest: str) -> Decimal | None:
    """Return the ratio of the answers to two questions; None if one is missing or the second is zero."""
    upper, lower = answers.get(distance), answers.get(longest)
    return distance_ratio(Decimal(str(upper[0])), Decimal(str(lower[0]))) if upper and lower else None


def leaves(rules: Rules, when: dict) -> Iterator[dict]:
    """Yield the leaves (conditions without parts) of `when`. Raises RulesInvalid if one is unknown or malformed."""
    for form in ("any", "all", "of"):
        if form in when:
            for part in when[form]:
                yield from leaves(rules, part)
            return
    if "not" in when:
        yield from leaves(rules, when["not"])
    elif "condition" in when:
        if when["condition"] not in rules.conditions:
            raise RulesInvalid(f"there is no condition {when['condition']!r}")
        yield from leaves(rules, rules.conditions[when["condition"]])
    elif {"item", "fired", "ratio_of"} & when.keys():
        yield when
    else:
        raise RulesInvalid(f"{when} is not a condition")


def items_read(leaf: dict) -> list[str]:
    """Return the linkIds that a leaf reads."""
    return [name for name in (leaf.get("item"), leaf.get("unsure_in"), *leaf.get("ratio_of", ())) if name]


def codes_read(leaf: dict) -> list[str]:
    """Return the answer codes that a leaf tests for; empty if it tests for none."""
    return leaf.get("in", [leaf["is"]] if "is" in leaf else [])


def all_leaves(rules: Rules) -> Iterator[dict]:
    """Return the leaves of every rule and signal."""
    whens = [case.when for rule in rules.rules for case in rule.cases] + [one.when for one in rules.signals]
    return (leaf for when in whens for leaf in leaves(rules, when))


def unknown_questions(rules: Rules, options: dict[str, set[str]]) -> list[str]:
    """Return the questions and answers that the rules read but `options` ({linkId: codes}) does not contain.

    Each is a "linkId" or a "linkId=code". Empty if none.
    """
    faults = []
    for leaf in all_leaves(rules):
        faults += [name for name in items_read(leaf) if name not in options]
        for name in (leaf[key] for key in ("item", "unsure_in") if key in leaf):
            faults += [f"{name}={code}" for code in codes_read(leaf) if code not in options.get(name, {code})]
    return sorted(set(faults))
