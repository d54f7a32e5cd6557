import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from assessments.intake.responses import (
    PageUnknown,
    ResponseUnfinished,
    complete_response,
    first_open_page,
    save_page,
    start_published_response,
)
from assessments.models import Flag, Questionnaire, Response
from assessments.red_flags.definitions import load_questionnaires, store_definition
from assessments.red_flags.flags import acknowledge_flag, acknowledge_shown, request_callback
from clinic.audit.models import AccessEvent
from tests.assessments.answering import QUIET, of_page, save_all
from tests.assessments.flags import flag_of
from tests.world import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def test_blank_slug_starts_no_response(loaded, alice):
    assert start_published_response(questionnaire_slug="", patient=alice, now=NOW) is None


def test_unpublished_slug_starts_no_response(db, alice):
    assert start_published_response(questionnaire_slug="hip-running-intake", patient=alice, now=NOW) is None


def test_newest_published_version_is_asked(loaded, alice):
    old = loaded[-1]
    assert (old.slug, old.version) == ("hip-running-intake", 2)
    newer = store_definition({**old.definition, "version": "3"}, now=NOW)
    Questionnaire.objects.create(slug=old.slug, version=4, title="Draft", definition=old.definition, created_at=NOW)
    assert start_published_response(questionnaire_slug=old.slug, patient=alice, now=NOW).questionnaire == newer


def test_intake_is_answered_page_by_page_to_the_end(response, intake):
    assert response.progress == "none"
    assert first_open_page(response).link_id == "safety"
    save_page(response=response, page="safety", answers=of_page(intake, "safety"), now=NOW)
    assert response.progress == "part"
    assert first_open_page(response).link_id == "signs"
    save_all(response, intake)
    complete_response(response=response, now=LATER)
    response.refresh_from_db()
    assert (response.progress, response.completed_at) == ("done", LATER)
    score = response.scores.get()
    assert score.measure == "my-activities"
    assert score.result == {"value": "4.0", "answered": 2, "of": 2}


def test_unfinished_response_knows_the_next_page(response, intake):
    save_all(response, intake, {**QUIET, "pain.now": []})
    with pytest.raises(ResponseUnfinished) as unfinished:
        complete_response(response=response, now=LATER)
    assert unfinished.value.page.link_id == "pain"


def test_valid_answers_are_saved_and_invalid_ones_leave_the_earlier_answer(response):
    save_page(response=response, page="running", answers={"run.days": [3], "run.week_now": ["12"]}, now=NOW)
    save_page(response=response, page="running", answers={"run.days": [9], "run.week_now": ["13"]}, now=NOW)
    response.refresh_from_db()
    assert response.answers == {"run.days": [3], "run.week_now": ["13"]}
    assert response.saved_pages == []


def test_empty_list_removes_an_answer(response):
    save_page(response=response, page="onset", answers={"on.event": ["hills"]}, now=NOW)
    save_page(response=response, page="onset", answers={"on.event": []}, now=NOW)
    assert response.answers == {}


def test_page_or_question_of_another_questionnaire_is_refused(response):
    with pytest.raises(PageUnknown):
        save_page(response=response, page="call", answers={}, now=NOW)
    for values in (["x"], []):
        with pytest.raises(KeyError):
            save_page(response=response, page="onset", answers={"rf.leg": values}, now=NOW)


def test_flag_is_raised_on_its_page_and_is_kept_when_the_intake_is_abandoned(response, intake):
    answers = {**of_page(intake, "safety"), "rf.leg": ["no-weight"]}
    (flag,) = save_page(response=response, page="safety", answers=answers, now=NOW)
    assert (flag.rule_id, flag.level, flag.action) == ("RF07", "E", "now")
    assert flag.snapshot == {"rf.leg": ["no-weight"]}
    assert list(Flag.objects.open()) == [flag]


def test_saving_again_raises_no_second_flag(response, intake):
    answers = {**of_page(intake, "safety"), "rf.leg": ["no-weight"]}
    save_page(response=response, page="safety", answers=answers, now=NOW)
    assert save_page(response=response, page="safety", answers=answers, now=LATER) == []
    assert response.flags.get().raised_at == NOW


def test_changed_answer_lowers_a_flag_with_an_audit_record(response, intake, charlie):
    safety = of_page(intake, "safety")
    (flag,) = save_page(response=response, page="safety", answers={**safety, "rf.leg": ["no-weight"]}, now=NOW)
    save_page(response=response, page="safety", answers=safety, now=LATER)
    flag.refresh_from_db()
    assert (flag.level, flag.current_level, flag.lowered_at) == ("E", "", LATER)
    assert (
        AccessEvent.objects.filter(object_type="assessments.flag", object_id=str(flag.pk), action="U", at=LATER).count()
        == 1
    )
    assert flag in Flag.objects.open()
    acknowledge_flag(flag=flag, by=charlie, now=LATER)
    assert flag not in Flag.objects.open()


def test_lowered_level_is_kept_beside_the_highest(response, intake):
    moving = {**of_page(intake, "signs"), "rf.move": ["foot-slap"]}
    save_page(response=response, page="safety", answers=of_page(intake, "safety"), now=NOW)
    save_page(response=response, page="signs", answers={**moving, "rf.foot.fast": ["yes"]}, now=NOW)
    save_page(response=response, page="signs", answers={**moving, "rf.foot.fast": ["no"]}, now=LATER)
    flag = flag_of("RF30", response.flags)
    assert (flag.level, flag.current_level, flag.action) == ("E", "U", "24 h")
    assert AccessEvent.objects.filter(object_id=str(flag.pk), action="U").count() == 1


def test_flag_raised_again_must_be_acknowledged_again(response, intake, charlie):
    safety = of_page(intake, "safety")
    sore = {**safety, "rf.leg": ["no-weight"]}
    (flag,) = save_page(response=response, page="safety", answers=sore, now=NOW)
    acknowledge_shown(response=response, level="E", now=NOW)
    acknowledge_flag(flag=flag, by=charlie, now=NOW)
    save_page(response=response, page="safety", answers=safety, now=LATER)
    assert save_page(response=response, page="safety", answers=sore, now=LATER) == [flag]
    flag.refresh_from_db()
    assert flag.patient_acknowledged_at is None
    assert flag.staff_acknowledged_at is None
    assert flag.lowered_at is None


def test_definite_answer_replaces_an_unsure_one(response, intake):
    unsure = {**of_page(intake, "safety"), "rf.leg": ["unsure"]}
    (vague,) = save_page(response=response, page="safety", answers=unsure, now=NOW)
    assert vague.rule_id == "UN01"
    full = {**unsure, "rf.leg.unsure": ["saddle"]}
    (flag,) = save_page(response=response, page="safety", answers=full, now=LATER)
    assert flag.rule_id == "RF01"
    assert list(Flag.objects.open()) == [flag]


def test_second_acknowledgement_changes_nothing(response, intake, charlie):
    (flag,) = save_page(response=response, page="safety", answers={"rf.leg": ["crack"]}, now=NOW)
    assert acknowledge_shown(response=response, level="U", now=NOW) == 0
    assert acknowledge_shown(response=response, level="E", now=NOW) == 1
    assert acknowledge_shown(response=response, level="E", now=LATER) == 0
    assert acknowledge_flag(flag=flag, by=charlie, now=NOW)
    assert not acknowledge_flag(flag=flag, by=charlie, now=LATER)
    flag.refresh_from_db()
    assert (flag.patient_acknowledged_at, flag.staff_acknowledged_at) == (NOW, NOW)


def test_callback_is_requested_once_and_only_for_urgent_flags(response):
    save_page(response=response, page="onset", answers={"mech": ["lock"]}, now=NOW)
    assert request_callback(response=response, now=NOW) == 0
    save_page(response=response, page="signs", answers={"rf.move": ["limp"]}, now=NOW)
    assert request_callback(response=response, now=NOW) == 1
    assert request_callback(response=response, now=LATER) == 0


def test_answers_that_became_hidden_are_dropped_at_the_end(response, intake):
    save_all(response, intake, {**QUIET, "on.mode": ["sudden"], "on.sudden": ["pop"]})
    save_page(response=response, page="onset", answers={"on.mode": ["gradual"]}, now=NOW)
    complete_response(response=response, now=LATER)
    assert "on.sudden" not in response.answers


def test_change_after_the_end_keeps_it_done_or_reopens_it(response, intake):
    save_all(response, intake)
    complete_response(response=response, now=NOW)
    save_page(response=response, page="goals", answers={"goal.run-far.now": [8], "goal.other.now": [8]}, now=LATER)
    assert response.progress == "done"
    assert response.scores.get().result["value"] == "8.0"
    save_page(response=response, page="safety", answers={"about.age": ["under-18"]}, now=LATER)
    assert response.progress == "part"
    assert first_open_page(response).link_id == "signs"


def test_every_write_is_in_the_audit_log(response, intake):
    save_all(response, intake)
    complete_response(response=response, now=NOW)
    actions = AccessEvent.objects.filter(object_id=str(response.pk)).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["C", *["U"] * 10, "E"]


def test_loading_twice_changes_nothing_and_an_unanswered_version_can_still_change(loaded):
    assert load_questionnaires(now=LATER) == loaded
    assert Questionnaire.objects.count() == 3
    call = next(one for one in loaded if one.slug == "call-intake")
    store_definition({**call.definition, "title": "Before we talk"}, now=LATER)
    call.refresh_from_db()
    assert call.title == "Before we talk"


def test_database_refuses_a_second_flag_of_a_rule(response):
    save_page(response=response, page="safety", answers={"rf.leg": ["crack"]}, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Flag.objects.create(
            response=response, rule_id="RF06", rule_version=1, level="E", current_level="E", action="now", raised_at=NOW
        )


@pytest.mark.django_db(transaction=True)
def test_two_pages_saved_at_once_are_both_saved(response, intake):
    """Two tabs: each reads all answers and writes them back. The row lock makes the second wait for the first."""
    barrier = threading.Barrier(2)
    faults = []

    def save(page):
        try:
            mine = Response.objects.select_related("questionnaire").get(pk=response.pk)
            barrier.wait(timeout=10)
            answers = {**of_page(intake, page), **({"rf.leg": ["crack"]} if page == "safety" else {})}
            save_page(response=mine, page=page, answers=answers, now=NOW)
        except Exception as fault:  # otherwise lost with the thread
            faults.append(fault)
        finally:
            connection.close()

    for _ in range(5):
        Response.objects.filter(pk=response.pk).update(saved_pages=[])
        threads = [threading.Thread(target=save, args=[page]) for page in ("safety", "goals")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        saved = Response.objects.get(pk=response.pk)
        assert set(saved.answers) == set(of_page(intake, "safety")) | set(of_page(intake, "goals"))
        assert set(saved.saved_pages) == {"safety", "goals"}
        assert saved.flags.count() == 1
