"""Time on long or odd input: ten times as much takes at most thirty times as long."""

import time

import pytest
from django.core.exceptions import ValidationError

from assessments.fhir.response_checking import check_response
from assessments.fhir.strict_json import load_json
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.readable import estimate_minutes
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


WORK = {
    "reading a file": (lambda count: packed(of(*questions(count))), load_json),
    "parsing a questionnaire": (parsed, lambda one: parse_questionnaire(of(*questions(len(one.items) - 1)))),
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


def in_a_row(step, length=1000):
    """A questionnaire in which each question has a condition on the one `step` before it."""

    def condition(number):
        other = number - step
        if not 0 <= other < length:
            return {}
        return {"enableWhen": [{"question": f"q{other}", "operator": "exists", "answerBoolean": True}]}

    return of(*(question(number, **condition(number)) for number in range(length)))


def test_long_row_of_conditions_on_earlier_questions_is_asked():
    assert estimate_minutes(parse_questionnaire(in_a_row(1))) > 0


def test_long_row_of_conditions_on_later_questions_is_refused():
    """Each depends on the next, so all depend on the last: too many for the stack."""
    with pytest.raises(InvalidQuestionnaire, match="depends on more than 60 others in a row"):
        parse_questionnaire(in_a_row(-1))


def test_endless_list_of_runs_is_refused_before_it_is_read():
    form = LoadCheckForm({"runs": "5 " * 200_000, "plan": "5"})
    begun = time.thread_time()
    assert list(form.errors) == ["runs"]
    assert time.thread_time() - begun < 1
    with pytest.raises(ValidationError):
        LoadCheckForm.base_fields["runs"].clean("5 " * 1001)
    assert len(LoadCheckForm.base_fields["runs"].clean("5 " * 999)) == 999
