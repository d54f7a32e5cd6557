"""An emergency is shown first whatever else the page lacks, and a sign counts whatever is checked beside it."""

from datetime import timedelta

import pytest

from assessments.intake.responses import first_open_page, save_page
from assessments.models import StaffAlert
from assessments.questionnaire.checking import keep_fitting, keep_positives
from assessments.red_flags.left_unsure import ANSWER_WITHIN, SECOND_LOOK
from clinic.outbox.models import Message
from clinic.outbox.sending.claims import claim_due_messages
from clinic.outbox.sending.hand_over import send_claimed
from tests.assessments.answering import QUIET, page_url, posted, shown_questions, url
from tests.world import NOW

pytestmark = pytest.mark.django_db


def send(client, token, page, answers):
    """Open a page, send it once as a browser without a script does, and return the server's response."""
    shown = client.get(page_url(token, page))
    return client.post(page_url(token, page), posted(shown.text, answers))


def test_emergency_is_shown_when_another_answer_is_missing(client, token, response):
    answered = send(client, token, "safety", {"rf.leg": ["saddle"]})
    assert answered.headers["Location"] == url("stop", token)
    assert "tel:911" in client.get(answered.headers["Location"]).text
    assert response.flags.get().shown_at
    on = client.post(url("stop", token), {"action": "acknowledge", "level": "E", "deadline": "now"})
    assert on.headers["Location"] == page_url(token, "safety")  # the unfinished page
    response.refresh_from_db()
    assert first_open_page(response).link_id == "safety"


def test_emergency_is_shown_before_a_follow_up_without_a_script(client, token, response):
    answers = QUIET | {"rf.leg": ["saddle"], "rf.body": ["unsure"]}
    answered = send(client, token, "safety", answers)
    assert answered.headers["Location"] == url("stop", token)
    assert [flag.rule_id for flag in response.flags.all()] == ["RF01"]
    on = client.post(url("stop", token), {"action": "acknowledge", "level": "E", "deadline": "now"})
    assert "rf.body.unsure" in shown_questions(client.get(on.headers["Location"]).text)


def test_page_with_an_error_starts_with_urgent_advice(client, token, response):
    send(client, token, "safety", QUIET)
    again = send(client, token, "signs", {"rf.move": ["walk-groin"]})
    assert again.status_code == 200
    assert again.text.index(again.context["advice"].action.heading) < again.text.index("error-summary")
    assert response.flags.get().shown_at


@pytest.mark.parametrize("none_first", [True, False])
def test_sign_beside_none_of_these_is_saved_and_raises_its_flag(client, token, response, none_first):
    leg = ["none", "crack"] if none_first else ["crack", "none"]
    assert send(client, token, "safety", QUIET | {"rf.leg": leg}).headers["Location"] == url("stop", token)
    response.refresh_from_db()
    assert response.answers["rf.leg"] == ["crack"]
    assert response.flags.get().rule_id == "RF06"


def test_unsure_is_kept_when_checked_beside_none_of_these(intake):
    assert keep_positives(intake.items["rf.leg"], ["none", "unsure"]) == ["unsure"]
    assert keep_positives(intake.items["rf.leg"], ["none"]) == ["none"]
    assert keep_positives(intake.items["rf.leg"], []) == []


@pytest.mark.parametrize("question", ["rf.leg", "rf.body", "rf.move", "rf.signs", "med.conditions"])
def test_every_sign_of_every_list_is_kept_beside_none_of_these_and_garbage(intake, question):
    item = intake.items[question]
    signs = [option.code for option in item.options if not option.is_exclusive]
    for sign in signs:
        for values in ([sign, "none"], ["none", sign], ["x" * 3000, sign], [sign, {"text": "y"}, "none"]):
            assert keep_fitting(item, values) == [sign], values


def test_unreadable_answer_leaves_the_earlier_one(response):
    save_page(response=response, page="safety", answers={"rf.leg": ["saddle"]}, now=NOW)
    save_page(response=response, page="safety", answers={"rf.leg": ["nonsense"]}, now=NOW)
    assert response.answers["rf.leg"] == ["saddle"]


def test_first_unsure_answer_raises_no_flag_before_its_follow_up_was_shown(client, token, response, charlie):
    again = send(client, token, "safety", QUIET | {"rf.leg": ["unsure"]})
    assert again.status_code == 200
    assert "rf.leg.unsure" in shown_questions(again.text)
    assert not response.flags.exists() and not StaffAlert.objects.exists()
    unanswered = client.post(page_url(token, "safety"), posted(again.text, QUIET | {"rf.leg": ["unsure"]}))
    assert unanswered.headers["Location"] == url("stop", token)  # shown and unanswered: unsure counts as yes
    assert response.flags.get().rule_id == "UN01" and StaffAlert.objects.get().level == "E"


def test_unsure_answer_from_an_old_page_is_delayed_once(client, token, response):
    old = client.get(page_url(token, "safety")).text
    for expected in (200, 303):
        answers = posted(old, QUIET | {"rf.leg": ["unsure"]})
        assert client.post(page_url(token, "safety"), answers).status_code == expected
    assert response.flags.get().rule_id == "UN01"


def test_unsure_answer_raises_its_flag_at_once_when_the_follow_up_was_shown(client, token, response):
    """With a script, the follow-up is shown on the same page."""
    seen = ["about.age", "rf.leg", "rf.leg.unsure", "rf.body"]
    form = {"seen": seen, "about.age": "21-49", "rf.leg": "unsure", "rf.body": "none"}
    assert client.post(page_url(token, "safety"), form).headers["Location"] == url("stop", token)
    assert response.flags.get().rule_id == "UN01"


def look(now):
    for message in claim_due_messages(now=now, limit=20):
        send_claimed(message, now=now)


def test_unsure_answer_counts_as_yes_when_the_follow_up_is_abandoned(client, token, response, charlie, time_machine):
    time_machine.move_to(NOW, tick=False)
    save_page(
        response=response, page="safety", answers={"rf.leg": ["unsure"]}, not_yet_shown=["rf.leg.unsure"], now=NOW
    )
    look(NOW + ANSWER_WITHIN - timedelta(minutes=1))
    assert not response.flags.exists()
    look(NOW + ANSWER_WITHIN)
    assert response.flags.get().rule_id == "UN01"
    assert StaffAlert.objects.get().recipient == charlie
    message = Message.objects.get(kind=SECOND_LOOK)
    assert (message.state, message.reason) == ("skipped", "evaluated again")
    assert client.get(url("start", token)).headers["Location"] == url("stop", token)


def test_second_evaluation_raises_no_flag_when_the_follow_up_was_answered(response, charlie):
    save_page(
        response=response, page="safety", answers={"rf.leg": ["unsure"]}, not_yet_shown=["rf.leg.unsure"], now=NOW
    )
    save_page(response=response, page="safety", answers={"rf.leg": ["none"]}, now=NOW)
    look(NOW + ANSWER_WITHIN)
    assert not response.flags.exists() and not StaffAlert.objects.exists()
    assert Message.objects.get(kind=SECOND_LOOK).reason == "evaluated again"
