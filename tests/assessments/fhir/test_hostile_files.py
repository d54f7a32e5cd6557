"""Damaged files: each is refused with a reason or works to the end, and none fails on a patient's page."""

from copy import deepcopy
from zoneinfo import ZoneInfo

from crispy_forms.utils import render_crispy_form
from django.http import QueryDict
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assessments.calculation.calculated_answers import initial_answers
from assessments.calculation.response_items import write_items
from assessments.fhir.importing import read_definition
from assessments.fhir.inspection import inspect
from assessments.fhir.response_checking import check_response
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.forms.page_form import PageForm
from assessments.intake.responses import merge_answers
from assessments.questionnaire.enablement import keep_enabled
from assessments.questionnaire.model import InvalidQuestionnaire
from assessments.questionnaire.readable import estimate_minutes, read_sections
from assessments.questionnaire.scoring import score_response
from tests.assessments.fhir_examples import EVERYTHING, FULL

MANY = 40
QUICK = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
PARSED = parse_questionnaire(EVERYTHING)
KINDS = ["choice", "group", "display", "integer", "text/fhirpath"]
NAMES = ["/", "a?b#c", "..", " ", "é\n", "__class__", "csrfmiddlewaretoken", "yes", "what", "what~injury.2", "#scale"]
SCALARS = st.sampled_from([None, True, False, 0, -1, 3, 10**12, 2.5, 1e300, "", "x", "2026-02-30", *KINDS, *NAMES])
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["code", "value", "url"]), SCALARS)


def places(value, path=()):
    """Yield the path to every part of a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def spoil(data, resource):
    """Return a copy of `resource` with one to three parts replaced, deleted, or overwritten with another part."""
    spoilt = deepcopy(resource)
    for _ in range(data.draw(st.integers(1, 3))):
        every = [path for path in places(spoilt) if path[0] not in ("resourceType", "status")]
        if not every:
            return spoilt
        path = data.draw(st.sampled_from(every))
        holder = at(spoilt, path[:-1])
        how = data.draw(st.sampled_from(["exchange", "take", "move"]))
        if how == "exchange":
            holder[path[-1]] = data.draw(VALUES)
        elif how == "take":
            del holder[path[-1]]
        else:
            holder[path[-1]] = deepcopy(at(spoilt, data.draw(st.sampled_from(every))))
    return spoilt


def at(value, path):
    for key in path:
        value = value[key]
    return value


@settings(
    max_examples=MANY,
    deadline=None,
    phases=QUICK,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_damaged_questionnaire_is_refused_or_can_be_asked_to_the_end(data):
    spoilt = spoil(data, EVERYTHING)
    try:
        definition, parsed = read_definition(spoilt)
    except InvalidQuestionnaire:
        return
    assert all(warning.text for warning in inspect(definition, parsed))
    assert estimate_minutes(parsed) > 0
    answers = initial_answers(parsed)
    for page in parsed.pages:
        assert page.link_id
        render_crispy_form(PageForm(questionnaire=parsed, page=page, answers=answers))
        posted = QueryDict(mutable=True)
        for item in (item for item in page.walk() if item.is_answerable):
            posted.appendlist("seen", item.link_id)
            values = [item.options[0].code] if item.options else [data.draw(st.sampled_from(["true", "3", "x", ""]))]
            posted.setlist(item.link_id, values)
        form = PageForm(posted, questionnaire=parsed, page=page, answers=answers)
        form.is_valid()
        render_crispy_form(form)
        answers = merge_answers(answers, form.given, page)
    kept = keep_enabled(parsed, answers)
    read_sections(parsed, kept)
    score_response(parsed, kept)
    check_response(parsed, {**FULL, "item": write_items(parsed, kept, zone=ZoneInfo("UTC"))})
    check_response(parsed, FULL)


@settings(
    max_examples=MANY * 3,
    deadline=None,
    phases=QUICK,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_damaged_response_is_checked_to_the_end_and_a_valid_one_can_be_exported_again(data):
    spoilt = spoil(data, FULL)
    checked = check_response(PARSED, spoilt)
    assert all(isinstance(problem.reason, str) and problem.reason for problem in checked.problems)
    if not checked.problems:
        written = write_items(PARSED, checked.answers, zone=ZoneInfo("UTC"))
        again = check_response(PARSED, {**FULL, "status": spoilt["status"], "item": written})
        assert again.problems == ()
        assert write_items(PARSED, again.answers, zone=ZoneInfo("UTC")) == written
