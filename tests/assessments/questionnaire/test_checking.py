import pytest

from assessments.questionnaire.checking import check_item, check_page
from assessments.questionnaire.controls import describe_problem, read_answer
from assessments.questionnaire.model import Item, Option
from tests.assessments.answering import QUIET

OPTIONS = (Option("a", "A"), Option("b", "B"), Option("none", "None", is_exclusive=True))
ONE = Item("one", "choice", options=OPTIONS, is_required=True)
MANY = Item("many", "choice", options=OPTIONS, repeats=True)
OPEN = Item("open", "open-choice", options=OPTIONS, max_length=5)
SCALE = Item("scale", "integer", minimum="0", maximum="10", layout="scale")
MILES = Item("miles", "decimal", minimum="0", maximum="250")
DAY = Item("day", "date", minimum="2026-01-01")
AGREE = Item("agree", "boolean", layout="agree", is_required=True)
WORDS = Item("words", "string", max_length=5)


@pytest.mark.parametrize(
    ("item", "values", "reason"),
    [
        (ONE, [], "required"),
        (ONE, ["a", "b"], "one"),
        (ONE, ["c"], "option"),
        (ONE, [3], "option"),
        (ONE, [{"text": "c"}], "option"),
        (MANY, ["a", "none"], "alone"),
        (OPEN, [{"text": "longer"}], "long"),
        (OPEN, [{"text": ""}], "option"),
        (SCALE, [11], "above"),
        (SCALE, [-1], "below"),
        (SCALE, ["x"], "type"),
        (SCALE, [True], "type"),
        (MILES, ["250.01"], "above"),
        (MILES, ["1e400"], "above"),
        (MILES, ["NaN"], "type"),
        (MILES, ["twelve"], "type"),
        (MILES, [12.5], "type"),
        (DAY, ["2026-02-30"], "type"),
        (DAY, ["2025-12-31"], "below"),
        (AGREE, [False], "required"),
        (WORDS, ["longer"], "long"),
        (WORDS, [5], "type"),
    ],
)
def test_invalid_answer_has_a_reason(item, values, reason):
    problem = check_item(item, values)
    assert problem.reason == reason
    assert describe_problem(item, problem)


@pytest.mark.parametrize(
    ("item", "values"),
    [
        (ONE, ["a"]),
        (MANY, []),
        (MANY, ["none"]),
        (MANY, ["a", "b"]),
        (OPEN, [{"text": "other"}]),
        (SCALE, [0]),
        (SCALE, [10]),
        (MILES, ["12.5"]),
        (DAY, ["2026-02-28"]),
        (AGREE, [True]),
        (WORDS, ["short"]),
    ],
)
def test_valid_answer_has_no_problem(item, values):
    assert check_item(item, values) is None


@pytest.mark.parametrize(
    ("item", "typed", "values"),
    [
        (MILES, " 12,5 ", ["12.5"]),
        (MILES, "", []),
        (SCALE, "07", [7]),
        (SCALE, "7.5", ["7.5"]),
        (DAY, "3/31/2026", ["2026-03-31"]),
        (DAY, "Mar 31, 2026", ["2026-03-31"]),
        (DAY, "2026-03-31", ["2026-03-31"]),
        (DAY, "tomorrow", ["tomorrow"]),
        (AGREE, "true", [True]),
        (AGREE, "maybe", ["maybe"]),
        (WORDS, "  hill ", ["hill"]),
    ],
)
def test_typed_text_becomes_an_answer_or_is_kept_as_typed(item, typed, values):
    assert read_answer(item, typed) == values


def test_page_is_checked_only_when_it_is_asked(intake):
    page = next(page for page in intake.pages if page.link_id == "consent")
    assert check_page(intake, page, QUIET) == []
    young = check_page(intake, page, {**QUIET, "about.age": ["under-18"]})
    assert [problem.link_id for problem in young] == ["guard.name", "guard.relation", "guard.consent"]


def test_date_as_the_upper_limit_of_a_datetime_includes_that_date():
    item = Item("at", "dateTime", minimum="2026-01-01", maximum="2026-01-02")
    assert [check_item(item, [moment]) for moment in ("2026-01-01T00:00", "2026-01-02T23:59")] == [None, None]
    assert check_item(item, ["2026-01-03T00:00"]).reason == "above"
    assert check_item(item, ["2025-12-31T23:59"]).reason == "below"


@pytest.mark.parametrize("limit", ["20260102T10:00", "2026-01-02T10:00:00Z", "2026-01-02"])
def test_limit_of_a_datetime_is_described_by_its_date(limit):
    item = Item("at", "dateTime", maximum=limit)
    assert "1/2/2026" in describe_problem(item, check_item(item, ["2026-02-01T00:00"]))
