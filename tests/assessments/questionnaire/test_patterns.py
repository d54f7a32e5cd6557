"""A pattern from a file is matched in linear time, as Python's re would match it, or refused."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.fhir.importing import read_definition
from assessments.fhir.inspection import inspect
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.questionnaire.checking import LONGEST_TEXT, check_item
from assessments.questionnaire.controls import describe_problem
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.patterns import PatternUnsupported, compile_pattern, fits_pattern
from tests.assessments.fhir_examples import extension, of

SLOW = [r"\w+" * 8 + "!", "(a?){24}a{24}", "(a+)+", "(a|aa)+b", "(a*)*b", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(.*a){9}b"]


def question(pattern, **more):
    raw = {"linkId": "a", "type": "string", "extension": [extension("regex", valueString=pattern)], **more}
    return of(raw)


def item_with(pattern, **more):
    return parse_questionnaire(question(pattern, **more)).items["a"]


def seconds(pattern, text) -> float:
    def once():
        begun = time.thread_time()
        fits_pattern(pattern, text)
        return time.thread_time() - begun

    return min(once() for _ in range(5))


@pytest.mark.parametrize("pattern", SLOW)
def test_ten_times_the_text_takes_at_most_thirty_times_as_long(pattern):
    short, long = "a" * 50_000, "a" * 500_000  # RE2 matches shorter texts with an engine about four times as fast
    assert seconds(pattern, long) < 30 * max(seconds(pattern, short), 0.0001)


@pytest.mark.parametrize("pattern", SLOW)
def test_pattern_with_nested_repeats_is_accepted_and_matched_quickly(pattern):
    read_definition(question(pattern))
    problem = check_item(item_with(pattern), ["a" * LONGEST_TEXT + " "])
    assert problem.reason == "long"
    assert check_item(item_with(pattern), ["-" * LONGEST_TEXT]).reason == "pattern"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(a)\1", "refers back to a group"),
        (r"(?P<x>a)(?P=x)", "refers back to a group"),
        (r"(?=a)a", "looks ahead or behind"),
        (r"(?!a)b", "looks ahead or behind"),
        (r"(?<=a)b", "looks ahead or behind"),
        (r"(?<!a)b", "looks ahead or behind"),
        (r"a++", "cannot be read"),
        (r"(?>a)", "cannot be read"),
        ("(", "cannot be read: missing"),
        ("[a", "cannot be read: missing"),
        ("a\\", "cannot be read: trailing"),
        ("a{2000}", "cannot be read: invalid repetition size"),
        (r"\w{1,900}", "cannot be read: pattern too large"),
        (r"\bword", "has .b where it is not supported"),
        (r"[\W]", "has .W where it is not supported .in brackets"),
        ("a" * 201, "is longer than 200"),
        ("\ud800", "has characters that cannot be encoded"),
    ],
)
def test_pattern_that_cannot_be_matched_is_refused_with_the_reason(pattern, words):
    with pytest.raises(InvalidQuestionnaire, match=f"^a: its regex {words}"):
        read_definition(question(pattern))


def test_unsupported_pattern_in_a_stored_file_has_a_warning_and_is_not_checked():
    """A file imported before the check existed must not cause an error on a patient's page."""
    definition = question("(?=A)A[0-9]")
    parsed = parse_questionnaire(definition)
    assert check_item(parsed.items["a"], ["anything"]) is None
    (warning,) = inspect(definition, parsed)
    assert (warning.name, warning.link_id) == ("regex", "a")
    assert "ahead or behind" in warning.text


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (
            "[A-Z]{2}[0-9]{1,4}",
            ["AB12"],
            ["xAB12", "AB12x", "AB12\n", ""],
        ),  # must match the whole value, as FHIR requires
        (r"\w+", ["José", "Müller_1", "日本", "٣"], ["a b", "€", ""]),
        (r"[\w.-]+", ["José-María"], ["a b"]),
        (r"\d{3}", ["123", "٣٣٣"], ["12", "12a"]),
        (r"[ \r\n\t\S]+", ["two words\nand a line", "é"], ["\u00a0"]),  # FHIR's pattern for a string
        (r"[^\s]+(\s[^\s]+)*", ["a b", "é\u00a0e"], [" a", "a  b "]),  # FHIR's pattern for a code
        (r"[\s\S]*", ["", "any\nthing"], []),
        (".*", ["a"], ["a\nb"]),
        ("a{,2}", ["", "aa"], ["aaa", "a{,2}"]),
        ("[]a]+", ["]a"], ["b"]),
        ("(?i)yes|no", ["YES", "No"], ["maybe"]),
    ],
)
def test_pattern_matches_the_whole_text_in_any_script(pattern, fits, does_not):
    assert [text for text in fits if not fits_pattern(pattern, text)] == []
    assert [text for text in does_not if fits_pattern(pattern, text)] == []


PARTS = st.sampled_from(
    [
        *"abé1٣ _-].",
        *(r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", r"\.", r"[\w-]", r"[^\w]", r"[\s\S]", r"[\d.]", r"[\]a]"),
        *("[ab]", "[^a]", "[]a]", "[^]a]", "[a[]", "(a|b)", "(?:é|1)", "x{,2}"),
    ]
)
QUANTIFIERS = st.sampled_from(["", "*", "+", "?", "{1,2}", "*?"])
TEXTS = st.text(alphabet="abéx1٣²_- \u00a0\n][.日€\u200b", max_size=4)


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(st.tuples(PARTS, QUANTIFIERS), min_size=1, max_size=3), texts=st.lists(TEXTS, min_size=5))
def test_pattern_agrees_with_pythons_re(parts, texts):
    pattern = "".join(part + quantifier for part, quantifier in parts)
    try:
        pythons = re.compile(pattern)
        compile_pattern(pattern)
    except (re.error, PatternUnsupported):  # such as x{,2}+, which only Python supports
        return
    assert [fits_pattern(pattern, text) for text in texts] == [bool(pythons.fullmatch(text)) for text in texts]


def test_error_for_a_long_answer_gives_the_real_limit():
    item = item_with(".*", maxLength=5000)
    problem = check_item(item, ["a" * (LONGEST_TEXT + 1)])
    assert describe_problem(item, problem) == f"Use at most {LONGEST_TEXT} characters."


def test_no_page_sends_a_pattern_to_the_browser():
    """Browsers use another pattern syntax, and match by backtracking."""
    pages = Path(__file__).parents[3] / "templates"
    assert [str(page) for page in pages.rglob("*.html") if re.search(r"\bpattern=", page.read_text())] == []
