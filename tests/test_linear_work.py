"""Time on long or unusual input: ten times as much takes at most thirty times as long."""

import time

import pytest
from django.core.exceptions import ValidationError

from assessments.fhir.acceptance import LONGEST_CHAIN
from assessments.fhir.importing import read_definition
from assessments.fhir.response_checking import check_response
from assessments.fhir.strict_json import load_json
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.readable import estimate_minutes
from assessments.questionnaire.structure import chain_lengths
from education.forms.checks import LoadCheckForm
from education.text.differences import compare_texts
from education.text.readability import find_forbidden, reading_grade
from tests.assessments.fhir_examples import of, packed

pytestmark = pytest.mark.long


def question(number, **more):
    return {"linkId": f"q{number}", "type": "string", "text": f"Question {number}", **more}


def questions(count):
    return [question(number) for number in range(count)]


def response_to(count):
    answers = [{"linkId": f"q{number}", "answer": [{"valueString": "x"}]} for number in range(count)]
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": answers}


def parsed(count):
    return parse_questionnaire(of({"linkId": "all", "type": "group", "text": "All", "item": questions(count)}))


def in_a_row(count, *, step):
    """Return questions that each depend on the one before (step 1) or after (step -1)."""

    def waits(number):
        other = number - step
        if not 0 <= other < count:
            return {}
        return {"enableWhen": [{"question": f"q{other}", "operator": "exists", "answerBoolean": True}]}

    return of(*(question(number, **waits(number)) for number in range(count)))


WORK = {
    "reading a file": (lambda count: packed(of(*questions(count))), load_json),
    "parsing a questionnaire": (parsed, lambda one: parse_questionnaire(of(*questions(len(one.items) - 1)))),
    "following conditions forwards": (lambda count: parse_questionnaire(in_a_row(count, step=1)), chain_lengths),
    "following conditions backwards": (lambda count: parse_questionnaire(in_a_row(count, step=-1)), chain_lengths),
    "estimating its minutes": (parsed, estimate_minutes),
    "checking a response": (
        lambda count: (parse_questionnaire(of(*questions(count))), response_to(count)),
        lambda both: check_response(*both),
    ),
    "grading dots": (lambda count: "." * count * 20 + "x", reading_grade),
    "grading marks": (lambda count: "?!" * count * 10 + "x", reading_grade),
    "grading apostrophes": (lambda count: "a'" * count * 10, reading_grade),
    "looking for forbidden words": (lambda count: "you ten diagnos " * count, find_forbidden),
    "comparing texts of one word": (lambda count: ("a " * count, "a " * (count + 1)), lambda two: compare_texts(*two)),
    "comparing texts of one line": (lambda count: ("a\n" * count, "b\na\n" * count), lambda two: compare_texts(*two)),
}


@pytest.mark.parametrize("name", WORK)
def test_ten_times_as_much_takes_at_most_thirty_times_as_long(name):
    make, work = WORK[name]

    def seconds(thing):
        def once():
            begun = time.thread_time()
            work(thing)
            return time.thread_time() - begun

        return min(once() for _ in range(3))

    little, much = make(300), make(3000)
    assert seconds(much) < 30 * max(seconds(little), 0.002)


@pytest.mark.parametrize("step", [1, -1])
def test_chain_of_conditions_that_is_too_long_is_refused_in_either_order(step):
    with pytest.raises(InvalidQuestionnaire, match=f"depends on more than {LONGEST_CHAIN} others in a row"):
        read_definition(in_a_row(1000, step=step))


def test_list_of_runs_that_is_too_long_is_refused_before_it_is_parsed():
    form = LoadCheckForm({"runs": "5 " * 200_000, "plan": "5"})
    begun = time.thread_time()
    assert list(form.errors) == ["runs"]
    assert time.thread_time() - begun < 1
    with pytest.raises(ValidationError):
        LoadCheckForm.base_fields["runs"].clean("5 " * 1001)
    assert len(LoadCheckForm.base_fields["runs"].clean("5 " * 999)) == 999
