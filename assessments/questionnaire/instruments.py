"""The scoring of published instruments in imported questionnaires. Pure.

The text of an instrument belongs to its publisher and is not in this code. A file identifies the items of an instrument
by code: {"system": "urn:runclinic:instrument:hoos", "code": "pain-1"}. A scale is scored if all required items are
present, each with the weights of the instrument. If only some are, or the weights differ, staff see why it is
not scored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assessments.questionnaire.model import Item, ScoreRule

SYSTEM = "urn:runclinic:instrument:"
FROM_0_TO_4, FROM_1_TO_4 = (0, 1, 2, 3, 4), (1, 2, 3, 4)
OSTRC, OSTRC_FIVE = (0, 8, 17, 25), (0, 6, 13, 19, 25)
RATING, HUNDRED = range(11), range(101)


@dataclass(frozen=True)
class Scale:
    """One score of an instrument. `counts` has the answer weights of each item, in order.

    The codes of its items are "1", "2" and so on, after `prefix` ("pain-1"). At least `least` items must be answered.
    """

    measure: str
    title: str
    counts: tuple[Sequence[int], ...]
    least: int
    prefix: str = ""
    method: str = "sum"
    multiplier: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    gate: str = ""
    may_be_fewer: int | None = None  # number of items, from the first, that the file must have; None: all

    @property
    def codes(self) -> list[str]:
        instrument = self.measure.partition(".")[0]
        return [f"{instrument}:{self.prefix}{number}" for number in range(1, len(self.counts) + 1)]


def _hundred(measure: str, title: str, size: int, least: int) -> Scale:
    """Return a scale scored as 100 - 100 x mean / 4 over items from 0 (no trouble) to 4 (extreme)."""
    prefix = f"{measure.partition('.')[2]}-"
    return Scale(measure, title, (FROM_0_TO_4,) * size, least, prefix, "mean", Decimal(-25), Decimal(100))


SCALES = (
    # doi:10.2519/jospt.2019.8868; no rule for missing answers was found, so all items must be answered
    Scale("uwri", "UWRI (0 to 36)", (FROM_0_TO_4,) * 9, 9),
    # doi:10.1136/bjsports-2019-101337; the first answer can decide the score alone
    Scale("ostrc-o2", "OSTRC-O2 severity (0 to 100)", (OSTRC,) * 4, 4, gate="first-zero-last-hundred"),
    Scale("ostrc-2013", "OSTRC 2013 severity (0 to 100)", (OSTRC, OSTRC_FIVE, OSTRC_FIVE, OSTRC), 4),
    # doi:10.1136/bjsm.2010.080937; our assumption: half of the items suffice, and both of physical activity are needed
    _hundred("hagos.pain", "HAGOS pain", 10, 5),
    _hundred("hagos.symptoms", "HAGOS symptoms", 7, 4),
    _hundred("hagos.adl", "HAGOS daily living", 5, 3),
    _hundred("hagos.sport", "HAGOS sport and recreation", 8, 4),
    _hundred("hagos.pa", "HAGOS physical activity", 2, 2),
    _hundred("hagos.qol", "HAGOS quality of life", 5, 3),
    # doi:10.1186/1471-2474-4-10; half of the items suffice, according to the rule of 2013
    _hundred("hoos.pain", "HOOS pain", 10, 5),
    _hundred("hoos.symptoms", "HOOS symptoms", 5, 3),
    _hundred("hoos.adl", "HOOS daily living", 17, 9),
    _hundred("hoos.sport", "HOOS sport and recreation", 4, 2),
    _hundred("hoos.qol", "HOOS quality of life", 4, 2),
    _hundred("hoos-12.pain", "HOOS-12 pain", 4, 2),
    _hundred("hoos-12.function", "HOOS-12 function", 4, 2),
    _hundred("hoos-12.qol", "HOOS-12 quality of life", 4, 2),
    # PMID 40123108; our assumption: half of the items suffice
    Scale("ihot-12", "iHOT-12 (0 to 100)", (HUNDRED,) * 12, 6, method="mean"),
    # Binkley 1999; not prorated
    Scale("lefs", "LEFS (0 to 80)", (FROM_0_TO_4,) * 20, 20),
    # Stratford 1995; mean of the activities that the patient named
    Scale("psfs", "PSFS (mean, 0 to 10)", (RATING,) * 5, 1, method="mean", may_be_fewer=3),
    Scale("tsk-11", "TSK-11 (11 to 44)", (FROM_1_TO_4,) * 11, 11),
)
SUMMARIES = {"hoos-12": ("HOOS-12 summary", ("hoos-12.pain", "hoos-12.function", "hoos-12.qol"))}


def instrument_scores(items: Iterable[Item]) -> tuple[list[ScoreRule], list[tuple[str, str]]]:
    """Return the score rules for `items`, and the problems as (measure or code, text).

    Problems are scales that have items but cannot be scored, and unknown codes.
    """
    coded = {code: item for item in items if not item.source for code in item.codes}
    rules, faults = [], [(code, "is not the code of an item of a known instrument") for code in sorted(_unknown(coded))]
    for scale in SCALES:
        present = {code: coded[code] for code in scale.codes if code in coded}
        if not present:
            continue
        if fault := _find_fault(scale, present):
            faults.append((scale.measure, f"is not scored: {fault}"))
        else:
            rules.append(_rule(scale, tuple(item.link_id for item in present.values())))
    scored = {rule.measure for rule in rules}
    for measure, (title, parts) in SUMMARIES.items():
        if scored.issuperset(parts):
            rules.append(ScoreRule(measure, title, "mean-of-scores", parts, len(parts)))
    return rules, faults


def _rule(scale: Scale, link_ids: tuple[str, ...]) -> ScoreRule:
    return ScoreRule(
        scale.measure,
        scale.title,
        scale.method,
        link_ids,
        scale.least,
        multiplier=scale.multiplier,
        offset=scale.offset,
        gate=scale.gate,
    )


def _unknown(coded: dict[str, Item]) -> set[str]:
    return coded.keys() - {code for scale in SCALES for code in scale.codes}


def _find_fault(scale: Scale, present: dict[str, Item]) -> str:
    needed = scale.codes[: scale.may_be_fewer]
    if missing := [code for code in needed if code not in present]:
        return f"the file has no item with the code {missing[0]}"
    for code, counts in zip(scale.codes, scale.counts, strict=True):
        if code in present and not _counts(present[code], counts):
            weights = f"{counts[0]} to {counts[-1]}" if isinstance(counts, range) else ", ".join(map(str, counts))
            return f"the answers of {present[code].link_id} do not have the weights {weights}"
    return ""


def _counts(item: Item, counts: Sequence[int]) -> bool:
    """Return whether the weights of the options of `item`, or its limits if it has no options, match `counts`."""
    if item.options:
        return sorted(option.ordinal for option in item.options if option.ordinal is not None) == sorted(counts)
    if item.type not in ("integer", "decimal") or item.minimum is None or item.maximum is None:
        return False
    return (Decimal(item.minimum), Decimal(item.maximum)) == (counts[0], counts[-1])
