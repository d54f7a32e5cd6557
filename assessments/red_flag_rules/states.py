"""Decide the state of a rule: it holds, it was asked and does not hold, or it was not asked. Pure.

A rule that still depends on an open question is "not asked", never "no". A question that another answer ruled out, such
as the follow-up of a warning sign that was not checked, counts as asked.
"""

from collections.abc import Iterator
from enum import Enum

from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import Questionnaire
from assessments.red_flag_rules.evaluation import UNSURE, Rule, Rules, holds, items_read, leaves


class State(Enum):
    """The state of a rule or signal. A summary lists the three separately."""

    YES = "yes"
    NO = "asked, and no"
    NOT_ASKED = "not asked"


class Asked(Enum):
    """The state of a question in one response."""

    ANSWERED = "answered"
    RULED_OUT = "ruled out"  # not asked because of another answer
    OPEN = "not answered"
    ABSENT = "not asked"  # not in this questionnaire


class _Truth(Enum):
    YES, NO, OPEN, ABSENT = range(4)


def read_asked(questionnaire: Questionnaire, answers: dict[str, list]) -> dict[str, Asked]:
    """Return {linkId: Asked} for every item of `questionnaire`, given `answers`."""
    enabled = enabled_items(questionnaire, answers)
    known: dict[str, Asked] = {}

    def read(link_id: str) -> Asked:
        if link_id not in known:
            known[link_id] = decide(link_id)
        return known[link_id]

    def decide(link_id: str) -> Asked:
        item = questionnaire.items[link_id]
        if link_id in enabled:
            return Asked.ANSWERED if answers.get(link_id) or not item.is_question else Asked.OPEN
        depends_on = [condition.question for condition in item.conditions] + ([item.parent] if item.parent else [])
        return Asked.OPEN if any(read(one) == Asked.OPEN for one in depends_on) else Asked.RULED_OUT

    return {link_id: read(link_id) for link_id in questionnaire.items}


class Judge:
    """Decides the states of rules and signals in one response.

    `answers` are those to enabled questions only, as in `evaluate`.
    """

    def __init__(self, rules: Rules, questionnaire: Questionnaire, answers: dict[str, list]):
        self.rules, self.answers = rules, answers
        self.asked = read_asked(questionnaire, answers)

    def rule_state(self, rule: Rule) -> State:
        """Return whether `rule` raises a flag, as a State."""
        return _as_state(self._rule_truth(rule))

    def signal_state(self, when: dict) -> State:
        """Return the state of a signal with the condition `when`. Flags are evaluated, not read from the database."""
        return _as_state(self._truth(when, unsure_is_yes=True))

    def missing(self, *whens: dict) -> dict[str, Asked]:
        """Return {linkId: Asked} of the open and absent questions that `whens` read, directly or through flags."""
        read = {name for leaf in self._leaves(*whens) for name in items_read(leaf)}
        found = {name: self._asked_of(name) for name in sorted(read)}
        return {name: asked for name, asked in found.items() if asked in (Asked.OPEN, Asked.ABSENT)}

    def _leaves(self, *whens: dict) -> Iterator[dict]:
        for leaf in (leaf for when in whens for leaf in leaves(self.rules, when)):
            for rule in leaf.get("fired", ()):
                yield from self._leaves(*(case.when for case in self.rules.by_id[rule].cases))
            yield leaf

    def _rule_truth(self, rule: Rule) -> _Truth:
        return _any([self._truth(case.when, unsure_is_yes=case.level in "EU") for case in rule.cases])

    def _truth(self, when: dict, unsure_is_yes: bool) -> _Truth:
        """Return the truth of `when`. `evaluation.holds` returns True for every YES and False for every NO."""
        if "condition" in when:
            return self._truth(self.rules.conditions[when["condition"]], unsure_is_yes)
        if "not" in when:
            return _NOT[self._truth(when["not"], False)]
        if "any" in when:
            return _any([self._truth(part, unsure_is_yes) for part in when["any"]])
        if "all" in when:
            return _at_least(len(when["all"]), [self._truth(part, unsure_is_yes) for part in when["all"]])
        if "of" in when:
            return _at_least(when["at_least"], [self._truth(part, unsure_is_yes) for part in when["of"]])
        if "fired" in when:
            found = [self._rule_truth(self.rules.by_id[one]) for one in when["fired"]]
            return _any([_Truth.OPEN if truth == _Truth.ABSENT else truth for truth in found])
        return self._leaf_truth(when, unsure_is_yes)

    def _leaf_truth(self, leaf: dict, unsure_is_yes: bool) -> _Truth:
        if holds(self.rules, leaf, self.answers, unsure_is_yes=unsure_is_yes):
            return _Truth.YES
        if "answered" in leaf:
            return _Truth.NO
        asked = {self._asked_of(name) for name in items_read(leaf) if name != leaf.get("unsure_in")}
        if Asked.RULED_OUT in asked:
            return _Truth.NO
        if Asked.ABSENT in asked:
            return _Truth.ABSENT
        return _Truth.OPEN if Asked.OPEN in asked or self._is_vague(leaf) else _Truth.NO

    def _is_vague(self, leaf: dict) -> bool:
        """Return whether the answer to a list is "not sure" and its follow-up (which sign?) is unanswered."""
        is_unsure = UNSURE in self.answers.get(leaf.get("item", ""), [])
        return is_unsure and "unsure_in" in leaf and self._asked_of(leaf["unsure_in"]) == Asked.OPEN

    def _asked_of(self, link_id: str) -> Asked:
        return self.asked.get(link_id, Asked.ABSENT)


_NOT = {_Truth.YES: _Truth.NO, _Truth.NO: _Truth.YES, _Truth.OPEN: _Truth.OPEN, _Truth.ABSENT: _Truth.ABSENT}


def _as_state(truth: _Truth) -> State:
    return {_Truth.YES: State.YES, _Truth.NO: State.NO}.get(truth, State.NOT_ASKED)


def _any(parts: list[_Truth]) -> _Truth:
    """Combine alternatives. Ignore those about questions of another version, which this questionnaire does not ask."""
    asked = [part for part in parts if part != _Truth.ABSENT]
    if not asked:
        return _Truth.ABSENT
    return next((truth for truth in (_Truth.YES, _Truth.OPEN) if truth in asked), _Truth.NO)


def _at_least(number: int, parts: list[_Truth]) -> _Truth:
    if all(part == _Truth.ABSENT for part in parts):
        return _Truth.ABSENT
    held, ruled_out = parts.count(_Truth.YES), parts.count(_Truth.NO)
    if held >= number:
        return _Truth.YES
    return _Truth.NO if len(parts) - ruled_out < number else _Truth.OPEN
