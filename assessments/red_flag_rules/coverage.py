"""Check that a questionnaire asks everything that the rules read. Pure.

If a version omitted a warning sign, its rule could never fire, and no other check would report it.
"""

from collections.abc import Iterable

from assessments.questionnaire.enablement import enabled_items
from assessments.questionnaire.model import Item, Questionnaire
from assessments.red_flag_rules.evaluation import UNSURE, Rules, all_leaves, codes_read, items_read
from assessments.red_flag_rules.format import LIMITS

NUMBERS = {"integer", "decimal", "quantity"}


def read_by_rules(rules: Rules) -> dict[str, set[str]]:
    """Return {linkId: answer codes} of every question that `rules` read. If codes are compared, UNSURE is one."""
    read: dict[str, set[str]] = {}
    for leaf in all_leaves(rules):
        for name in items_read(leaf):
            codes = codes_read(leaf)
            read.setdefault(name, set()).update(codes, {UNSURE} if codes else ())
    return read


def misread_numbers(rules: Rules, items: Iterable[Item]) -> list[str]:
    """Return the linkIds of the `items` that `rules` compare as numbers although they have another type."""
    compared = {name for leaf in all_leaves(rules) if set(LIMITS) & leaf.keys() for name in items_read(leaf)}
    return sorted({item.link_id for item in items if item.link_id in compared and item.type not in NUMBERS})


def lost_questions(
    rules: Rules, before: Questionnaire, after: Questionnaire, *, first_pages: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return {linkId: problem} for each question that `rules` read in `before` but cannot read in `after`.

    `first_pages` are asked before a visit is booked. Questions on these pages must be on one of them in `after`, too.
    """
    faults = {}
    for name, codes in read_by_rules(rules).items():
        item = before.items.get(name)
        if item is None or not item.is_answerable:
            continue
        fault = _lost(item, codes, before, after)
        if not fault and before.page_of[name].link_id in first_pages and after.page_of[name].link_id not in first_pages:
            fault = f"is not on one of the pages {', '.join(first_pages)}"
        if fault:
            faults[name] = f"{name} (“{item.label}”) {fault}"
    return faults


def _lost(item: Item, codes: set[str], before: Questionnaire, after: Questionnaire) -> str:
    """Describe what is missing from `item` in `after`; empty if nothing is."""
    new = after.items.get(item.link_id)
    if new is None:
        return "is missing"
    if not new.is_answerable:
        return "is not asked: it is hidden, read-only or calculated"
    if bool(new.options) != bool(item.options) or (item.type in NUMBERS and new.type not in NUMBERS):
        return f"is a question of another type ({new.type})"
    offered = {option.code for option in new.options}
    if lost := [option for option in item.options if option.code in codes - offered]:
        return "lacks the answer " + ", ".join(f"{option.code} (“{option.text}”)" for option in lost)
    if item.repeats and not new.repeats:
        return "takes only one answer"
    if any(item.link_id not in enabled_items(after, opening) for opening in _openings(before, item)):
        return "is not asked when it was before: its conditions differ"
    return ""


def _openings(questionnaire: Questionnaire, item: Item) -> list[dict[str, list]]:
    """Return small sets of answers, each of which enables `item`."""
    above = _openings(questionnaire, questionnaire.items[item.parent]) if item.parent else [{}]
    ways = []
    for condition in item.conditions:
        asked = next(iter(_openings(questionnaire, questionnaire.items[condition.question])), {})
        ways.append(_joined(asked, {condition.question: [condition.value]}) if condition.operator == "=" else asked)
    if item.needs_all and ways:
        ways = [_joined(*ways)]
    opened = [_joined(one, way) for one in above for way in ways or [{}]]
    return [one for one in opened if item.link_id in enabled_items(questionnaire, one)]


def _joined(*parts: dict[str, list]) -> dict[str, list]:
    joined: dict[str, list] = {}
    for part in parts:
        for name, values in part.items():
            joined[name] = list(dict.fromkeys([*joined.get(name, []), *values]))
    return joined
