"""The arithmetic of published instruments on invented answers, with ids in place of item texts."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.questionnaire.model import Item, Option, ScoreRule
from assessments.questionnaire.scoring import MethodUnknown, score


def items(count, *weights):
    """Return `count` choice items whose options have these weights."""
    options = tuple(Option(str(number), "", Decimal(weight)) for number, weight in enumerate(weights))
    return {f"i{number}": Item(f"i{number}", "choice", options=options) for number in range(count)}


def rule(asked, method="sum", minimum=None, **extra):
    names = tuple(asked)
    return ScoreRule("m", "", method, names, len(names) if minimum is None else minimum, **extra)


def answer(asked, *chosen):
    return {name: [str(code)] for name, code in zip(asked, chosen, strict=False) if code is not None}


FROM_0_TO_4 = (0, 1, 2, 3, 4)
OF_100 = {"method": "mean", "multiplier": Decimal(-25), "offset": Decimal(100)}  # 100 - 100 x mean / 4


def test_uwri_is_36_when_all_answers_are_the_best():
    asked = items(9, *FROM_0_TO_4)
    assert score(rule(asked), asked, answer(asked, *[4] * 9)).value == 36


def test_uwri_has_no_total_when_one_answer_is_missing():
    asked = items(9, *FROM_0_TO_4)
    result = score(rule(asked), asked, answer(asked, *[4] * 8))
    assert (result.value, result.answered, result.of) == (None, 8, 9)


def ostrc(*chosen):
    asked = items(4, 0, 8, 17, 25)
    return score(rule(asked, gate="first-zero-last-hundred"), asked, answer(asked, *chosen)).value


def test_ostrc_is_32_when_every_answer_is_the_second_option():
    assert ostrc(1, 1, 1, 1) == 32


def test_ostrc_is_decided_by_the_first_question_when_it_is_0_or_100():
    """The last option of the first question makes the score 100, its first option 0, whatever else is answered."""
    assert ostrc(3) == 100
    assert ostrc(0) == 0


def test_ostrc_has_no_score_when_a_question_is_skipped():
    assert ostrc(1, 1, None, 1) is None


def test_hoos_pain_is_scored_when_half_of_ten_are_answered():
    asked = items(10, *FROM_0_TO_4)
    pain = rule(asked, minimum=5, **OF_100)
    assert score(pain, asked, answer(asked, *[2] * 5)).value == 50
    assert score(pain, asked, answer(asked, *[2] * 4)).value is None


def test_hagos_is_100_without_trouble():
    asked = items(7, *FROM_0_TO_4)
    assert score(rule(asked, **OF_100), asked, answer(asked, *[0] * 7)).value == 100


def test_lefs_is_80_when_all_answers_are_the_best_and_is_not_prorated():
    asked = items(20, *FROM_0_TO_4)
    assert score(rule(asked), asked, answer(asked, *[4] * 20)).value == 80
    assert score(rule(asked), asked, answer(asked, *[4] * 19)).value is None


def test_psfs_is_the_mean_of_the_activities_named():
    asked = {name: Item(name, "integer") for name in ("a", "b", "c")}
    own = rule(asked, "mean", 1)
    assert score(own, asked, {"a": [4], "b": [6], "c": [8]}).value == Decimal("6.0")
    assert score(own, asked, {"a": [4], "b": [5]}).value == Decimal("4.5")
    assert score(own, asked, {}).value is None


def test_ihot_is_0_when_all_answers_are_the_worst():
    asked = {f"v{number}": Item(f"v{number}", "integer") for number in range(12)}
    assert score(rule(asked, "mean", 6), asked, {name: [0] for name in asked}).value == 0


def test_person_mean_replaces_missing_answers():
    asked = items(4, *FROM_0_TO_4)
    hoos12 = rule(asked, "person-mean", 2, multiplier=Decimal("-6.25"), offset=Decimal(100))
    assert score(hoos12, asked, answer(asked, 2, 2)).value == 50
    assert score(hoos12, asked, answer(asked, 2)).value is None


def test_unknown_method_is_refused():
    asked = items(1, 0, 1)
    with pytest.raises(MethodUnknown):
        score(rule(asked, "median"), asked, answer(asked, 1))
    with pytest.raises(MethodUnknown):
        score(replace(rule(asked), gate="other"), asked, answer(asked, 1))


@given(st.lists(st.none() | st.integers(0, 4), min_size=1, max_size=10), st.integers(1, 10))
def test_mean_agrees_with_a_naive_one(chosen, minimum):
    asked = items(len(chosen), *FROM_0_TO_4)
    result = score(rule(asked, "mean", minimum), asked, answer(asked, *chosen))
    answered = [value for value in chosen if value is not None]
    if len(answered) < minimum:
        assert result.value is None
    else:
        assert abs(float(result.value) - sum(answered) / len(answered)) <= 0.0500001


@given(
    st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=9),
    st.integers(0, 9),
    st.sampled_from(["sum", "mean", "person-mean"]),
    st.sampled_from([(1, 0), (-25, 100), (Decimal("0.5"), 3)]),
    st.booleans(),
)
def test_every_method_agrees_with_a_naive_one(chosen, minimum, method, line, is_gated):
    weights = (0, 8, 17, 25)
    asked = items(len(chosen), *weights)
    gate = "first-zero-last-hundred" if is_gated else ""
    made = rule(asked, method, minimum, multiplier=Decimal(line[0]), offset=Decimal(line[1]), gate=gate)
    result = score(made, asked, answer(asked, *chosen))
    counted = [weights[place] for place in chosen if place is not None]
    assert (result.answered, result.of) == (len(counted), len(chosen))
    if is_gated and chosen[0] in (0, 3):
        assert result.value == (0 if chosen[0] == 0 else 100)
    elif len(counted) < max(minimum, 1):
        assert result.value is None
    else:
        mean = sum(counted) / len(counted)
        plain = {"sum": sum(counted), "mean": mean, "person-mean": mean * len(chosen)}[method]
        assert abs(float(result.value) - (float(line[0]) * plain + float(line[1]))) <= 0.0500001
