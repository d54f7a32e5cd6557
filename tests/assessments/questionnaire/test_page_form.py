"""A page that is sent and shown again: each follow-up is asked once, and each answer is stored for its own question."""

import re

from crispy_forms.utils import render_crispy_form
from django.http import QueryDict

from assessments.calculation.calculated_answers import add_calculated
from assessments.fhir_json.parsing import parse_questionnaire
from assessments.forms.page_form import PageForm
from tests.assessments.answering import shown_questions

TOTAL = "%resource.item.where(linkId='page').item.where(linkId='a').answer.value"
CALCULATED = {
    "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
    "valueExpression": {"language": "text/fhirpath", "expression": TOTAL},
}


def when(question, value, key="answerInteger", operator="="):
    return {"enableWhen": [{"question": question, "operator": operator, key: value}]}


def parsed_page(*items):
    parsed = parse_questionnaire(
        {"resourceType": "Questionnaire", "item": [{"linkId": "page", "type": "group", "item": list(items)}]}
    )
    return parsed, parsed.pages[0]


def send(parsed, page, shown, typed):
    """Send `page` as a browser without a script would after the HTML `shown`. Return the form and its validity."""
    sent = QueryDict(mutable=True)
    sent.setlist("seen", shown_questions(shown))
    sent.setlist("asked.again", re.findall(r'name="asked.again" value="([^"]*)"', shown))
    for name, value in typed.items():
        sent[name] = value
    form = PageForm(sent, questionnaire=parsed, page=page, answers={})
    return form, form.is_valid()


def test_note_that_an_answer_enables_is_shown_once_without_a_script():
    note = {"linkId": "note", "type": "display", "text": "Please bring your shoes.", **when("a", 1)}
    parsed, page = parsed_page({"linkId": "a", "type": "integer", "text": "A"}, note)
    first = render_crispy_form(PageForm(questionnaire=parsed, page=page, answers={}))
    assert re.search(r"<fieldset[^>]*data-conditions[^>]*hidden disabled>\s*<input[^>]*value=\"note\"", first)

    form, _ = send(parsed, page, first, {"a": "1"})
    assert form.new_list == [("q-note", "Please bring your shoes.")] and form.not_yet_shown == []
    again = render_crispy_form(form)
    assert re.search(r'<fieldset[^>]*id="q-note"[^>]*data-kept>', again)

    form, is_valid = send(parsed, page, again, {"a": "1"})
    assert is_valid and form.newly_asked == []
    form, _ = send(parsed, page, first, {"a": "2"})
    assert form.newly_asked == []


def test_question_that_a_total_on_the_page_enables_is_asked():
    total = {"linkId": "total", "type": "integer", "text": "Total", "readOnly": True, "extension": [CALCULATED]}
    more = {"linkId": "more", "type": "string", "text": "Tell me more", **when("total", 5, operator=">")}
    parsed, page = parsed_page({"linkId": "a", "type": "integer", "text": "A"}, total, more)
    assert add_calculated(parsed, {"a": [7]})["total"] == [7]
    shown = render_crispy_form(PageForm(questionnaire=parsed, page=page, answers={}))
    form, _ = send(parsed, page, shown, {"a": "7"})
    assert form.not_yet_shown == ["more"]
    form, _ = send(parsed, page, shown, {"a": "5"})
    assert form.not_yet_shown == []


def test_text_of_an_open_choice_and_a_question_with_that_name_are_separate():
    colors = [{"valueCoding": {"code": "red"}}]
    choice = {"linkId": "x", "type": "open-choice", "text": "X", "answerOption": colors}
    parsed, page = parsed_page(choice, {"linkId": "x.other", "type": "string", "text": "Other"})
    shown = render_crispy_form(PageForm(questionnaire=parsed, page=page, answers={}))
    names = re.findall(r'type="text"[^>]* name="([^"]+)"', shown)
    assert sorted(names) == ["x.other", "x.other~"]
    form, _ = send(parsed, page, shown, {"x.other": "mine", "x.other~": "green"})
    assert form.given == {"x": [{"text": "green"}], "x.other": ["mine"]}


def test_no_two_controls_share_an_id():
    options = [{"valueCoding": {"code": code}} for code in ("one", "two", "three")]
    items = [{"linkId": "pain", "type": "open-choice", "text": "Pain", "answerOption": options}]
    names = ("pain-0", "pain:0", "pain-other", "pain:other", "pain-hint", "a b", "a_b", "a%20b")
    items += [{"linkId": name, "type": "string", "text": name} for name in names]
    parsed, page = parsed_page(*items)
    ids = re.findall(r' id="([^"]+)"', render_crispy_form(PageForm(questionnaire=parsed, page=page, answers={})))
    assert len(ids) == len(set(ids)) and not any(" " in one for one in ids)


def test_page_is_shown_again_at_most_once_for_a_follow_up():
    """If the browser hides the follow-up, it is skipped the second time, or reported as missing if required."""
    for is_required in (False, True):
        more = {"linkId": "more", "type": "string", "text": "Tell me more", "required": is_required, **when("a", 1)}
        parsed, page = parsed_page({"linkId": "a", "type": "integer", "text": "A"}, more)
        sent = QueryDict("seen=a&a=1")
        form = PageForm(sent, questionnaire=parsed, page=page, answers={})
        form.is_valid()
        assert form.not_yet_shown == ["more"] and form.kept == {"page", "more"}

        form = PageForm(QueryDict("seen=a&a=1&asked.again=more"), questionnaire=parsed, page=page, answers={})
        assert form.is_valid() is not is_required
        assert form.newly_asked == []
        if is_required:
            assert [(anchor, question) for anchor, question, _ in form.error_list] == [("q-more", "Tell me more")]
            assert "data-kept" in render_crispy_form(form)


def test_error_summary_has_the_text_of_the_question():
    short = {
        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-shortText",
        "valueString": "Therapist's label",
    }
    item = {"linkId": "a", "type": "string", "text": "What hurts?", "required": True, "extension": [short]}
    parsed, page = parsed_page(item)
    form, _ = send(parsed, page, '<input name="seen" value="a">', {})
    assert [(anchor, question) for anchor, question, _ in form.error_list] == [("q-a", "What hurts?")]
