from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from assessments.intake.responses import start_published_response
from assessments.models import Response
from clinic.audit.models import AccessEvent
from clinic.practice.access.links import issue_link, revoke_links
from clinic.practice.models import LinkPurpose, Proof
from tests.assessments.answering import QUIET, fill_page, page_url, posted, shown_questions, url, walk

pytestmark = pytest.mark.django_db


def test_whole_intake_works_without_a_script(client, token, response, intake):
    assert page_url(token, "safety") in client.get(url("start", token)).text
    for number, page in enumerate(intake.pages[:-1]):  # the last is for a parent or guardian
        assert f"{number + 1} of 9" in client.get(page_url(token, page.link_id)).text
        answered = fill_page(client, token, page.link_id, QUIET)
        assert answered.status_code == 303, page.link_id
    assert answered.url == url("check", token)
    assert "run to the lighthouse" in client.get(answered.url).text
    assert client.post(answered.url).url == url("done", token)
    assert client.get(url("done", token)).status_code == 200
    response.refresh_from_db()
    assert response.progress == "done"
    assert response.answers == QUIET
    assert not response.flags.exists()


def test_emergency_stops_the_intake_and_shows_the_phone_number_first(client, token, response, intake):
    answered = fill_page(client, token, "safety", {**QUIET, "rf.leg": ["saddle"]})
    assert answered.url == url("stop", token)
    stop = client.get(answered.url)
    assert stop.text.index("tel:911") < stop.text.index("<form")
    assert "phone-large" in stop.text
    assert "paused" in stop.text
    assert "cauda" not in stop.text.lower()
    flag = response.flags.get()
    assert flag.shown_at
    assert not flag.patient_acknowledged_at
    for address in (url("check", token), url("start", token), page_url(token, "signs")):
        assert client.get(address).url == url("stop", token)
    assert client.post(answered.url, {"action": "acknowledge", "level": "E"}).url == page_url(token, "signs")
    flag.refresh_from_db()
    assert flag.patient_acknowledged_at


def test_worst_level_is_shown_first_then_the_next(client, token, response, intake):
    walk(client, token, intake, QUIET, until="safety")
    answers = {**QUIET, "rf.move": ["foot-slap", "walk-groin"], "rf.foot.fast": ["yes"]}
    answered = fill_page(client, token, "signs", answers)
    assert client.get(answered.url).context["level"] == "E"
    again = client.post(answered.url, {"action": "acknowledge", "level": "E"})
    assert again.url == url("stop", token)
    urgent = client.get(again.url)
    assert urgent.context["level"] == "U"
    assert "within 24 hours" in urgent.text
    assert client.post(again.url, {"action": "acknowledge", "level": "U"}).url == page_url(token, "where")


def test_level_that_was_not_shown_is_not_acknowledged(client, token, response):
    fill_page(client, token, "safety", {**QUIET, "rf.leg": ["saddle"]})
    for level in ("U", "T", "X", ""):
        assert client.post(url("stop", token), {"action": "acknowledge", "level": level}).url == url("stop", token)
    assert not response.flags.get().patient_acknowledged_at


def test_patient_can_ask_for_a_callback(client, token, response, intake):
    walk(client, token, intake, QUIET, until="safety")
    fill_page(client, token, "signs", {**QUIET, "rf.move": ["walk-groin"]})
    asked = client.post(url("stop", token), {"action": "callback", "level": "U"})
    assert client.get(asked.url).context["is_callback_requested"]
    assert response.flags.get().callback_requested_at
    client.post(url("stop", token), {"action": "acknowledge", "level": "U"})
    assert response.flags.get().callback_requested_at


def test_flag_that_can_wait_is_shown_at_the_check_page(client, token, response, intake):
    walk(client, token, intake, QUIET)
    fill_page(client, token, "onset", {**QUIET, "mech": ["lock"]})
    assert client.get(url("check", token)).url == url("stop", token)
    assert "therapist" in client.get(url("stop", token)).text
    assert client.post(url("check", token)).url == url("stop", token)


def test_unsure_opens_a_follow_up_without_a_script(client, token, response):
    shown = client.get(page_url(token, "safety"))
    again = client.post(page_url(token, "safety"), posted(shown.text, {**QUIET, "rf.leg": ["unsure"]}))
    assert again.status_code == 200
    assert again.context["form"].not_yet_shown == ["rf.leg.unsure"]
    assert "rf.leg.unsure" in shown_questions(again.text)
    assert not response.flags.exists()
    answers = {**QUIET, "rf.leg": ["unsure"], "rf.leg.unsure": ["bladder"]}
    assert client.post(page_url(token, "safety"), posted(again.text, answers)).url == url("stop", token)
    assert response.flags.get().rule_id == "RF02"


def test_typed_text_is_shown_again_beside_the_error(client, token, response, intake):
    walk(client, token, intake, QUIET, until="pain")
    shown = client.get(page_url(token, "running"))
    wrong = {**QUIET, "run.week_now": ["about twelve <b>"], "run.days": ["8"]}
    again = client.post(page_url(token, "running"), posted(shown.text, wrong))
    assert again.status_code == 200
    assert "about twelve &lt;b&gt;" in again.text
    assert 'href="#q-run.week_now"' in again.text
    assert set(again.context["form"].errors) >= {"run.week_now", "run.days"}
    assert "Error: " in again.text
    response.refresh_from_db()
    assert response.answers["run.week_before"] == ["20"]
    assert "run.week_now" not in response.answers


def test_invented_answers_cause_no_server_error(client, token, response):
    nonsense = {
        "seen": ["rf.leg", "about.age", "nowhere"],
        "rf.leg": ["none", "saddle", "x" * 5000],
        "about.age": "\x00",
        "nowhere": "1",
    }
    answered = client.post(page_url(token, "safety"), nonsense)
    assert answered.url == url("stop", token)
    response.refresh_from_db()
    assert response.answers == {"rf.leg": ["saddle"]}  # the sign counts, whatever was sent beside it


def test_safety_page_cannot_be_skipped(client, token):
    assert client.get(page_url(token, "goals")).url == page_url(token, "safety")
    assert client.get(url("check", token)).url == page_url(token, "safety")
    assert client.get(url("done", token)).url == page_url(token, "safety")


def test_link_continues_where_the_patient_stopped(client, token, intake):
    walk(client, token, intake, QUIET, until="where")
    start = client.get(url("start", token))
    assert start.context["next_url"] == page_url(token, "onset")
    assert page_url(token, "onset") in start.text


def test_change_from_the_check_page_returns_to_it(client, token, intake):
    walk(client, token, intake, QUIET)
    changed = f"{page_url(token, 'goals')}?change=1"
    assert changed in client.get(url("check", token)).text
    shown = client.get(changed)
    answered = client.post(page_url(token, "goals"), {**posted(shown.text, {**QUIET, "psy.worry": [9]}), "change": "1"})
    assert answered.url == url("check", token)


def test_minor_is_asked_for_a_guardian(client, token, response, intake):
    young = {**QUIET, "about.age": ["under-18"], "rf.young.pop": ["no"]}
    guardian = {"guard.name": ["Dana Runner"], "guard.relation": ["parent"], "guard.consent": [True]}
    walk(client, token, intake, {**young, **guardian}, until="goals")
    shown = client.get(page_url(token, "consent"))
    assert shown.context["asks_guardian"]
    assert client.post(page_url(token, "consent"), posted(shown.text, young)).status_code == 200
    assert fill_page(client, token, "consent", {**young, **guardian}).url == url("check", token)


def test_page_that_is_not_asked_has_a_friendly_message(client, token):
    for page in ("nowhere", "call", "rf.leg"):
        missing = client.get(page_url(token, page))
        assert missing.status_code == 404
        assert url("start", token) in missing.text


def test_links_of_other_patients_open_nothing(client, token, response, alice, bob, loaded):
    now = timezone.now()
    until = now + timedelta(days=1)
    visit = issue_link(
        patient=alice, purpose=LinkPurpose.VISIT, proof=Proof.MAILED, subject_id=response.pk, expires_at=until, now=now
    )
    wrong = issue_link(
        patient=bob, purpose=LinkPurpose.INTAKE, proof=Proof.MAILED, subject_id=response.pk, expires_at=until, now=now
    )
    gone = issue_link(
        patient=bob, purpose=LinkPurpose.INTAKE, proof=Proof.MAILED, subject_id=bob.pk, expires_at=until, now=now
    )
    for bad in (visit, wrong, gone, "x", token[:-1], token + "x"):
        for name in ("start", "stop", "check", "done"):
            assert client.get(url(name, bad)).status_code == 404
        assert client.post(page_url(bad, "safety"), {"seen": ["about.age"], "about.age": "50-up"}).status_code == 404
    response.refresh_from_db()
    assert response.answers == {}


def test_expired_and_revoked_links_say_so(client, token, response, alice):
    now = timezone.now()
    old = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=now - timedelta(1),
        now=now - timedelta(2),
    )
    assert client.get(url("start", old)).status_code == 410
    revoke_links(subject_id=response.pk, now=now)
    assert client.get(page_url(token, "safety")).status_code == 410
    assert client.post(page_url(token, "safety"), {"seen": ["about.age"], "about.age": "50-up"}).status_code == 410


def changes():
    """Return the lines of the audit log that are not reads, which a page writes about itself."""
    return AccessEvent.objects.exclude(action="R")


def test_get_requests_change_nothing(client, token, response, intake):
    walk(client, token, intake, QUIET, until="pain")
    fill_page(client, token, "safety", {**QUIET, "rf.leg": ["saddle"]})
    before = list(Response.objects.values()), list(response.flags.values()), changes().count()
    for address in [url(name, token) for name in ("start", "stop", "check", "done")]:
        client.get(address)
        client.head(address)
    for page in intake.pages:
        client.get(page_url(token, page.link_id))
    after = list(Response.objects.values()), list(response.flags.values()), changes().count()
    assert [len(part) if isinstance(part, list) else part for part in before] == [
        len(part) if isinstance(part, list) else part for part in after
    ]
    assert [{**row, "answers": bytes(row["answers"].token)} for row in before[0]] == [
        {**row, "answers": bytes(row["answers"].token)} for row in after[0]
    ]
    assert [row["shown_at"] for row in before[1]] == [row["shown_at"] for row in after[1]]


def test_pages_are_not_cached_and_send_no_referrer(client, token):
    for address in (url("start", token), page_url(token, "safety")):
        headers = client.get(address).headers
        assert "no-store" in headers["Cache-Control"]
        assert headers["Referrer-Policy"] == "no-referrer"
    assert client.delete(page_url(token, "safety")).status_code == 405
    assert client.post(url("start", token)).status_code == 405


def test_saving_without_the_csrf_token_is_refused(token, response):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(page_url(token, "safety"), {"seen": ["about.age"], "about.age": "50-up"}).status_code == 403


def test_query_count_of_a_page_does_not_grow(client, token, intake, django_assert_max_num_queries):
    walk(client, token, intake, {**QUIET, "mech": ["lock"], "med.conditions": ["painkillers"]}, until="goals")
    with django_assert_max_num_queries(6):
        client.get(page_url(token, "health"))
    with django_assert_max_num_queries(6):
        client.get(page_url(token, "safety"))


def test_call_intake_uses_the_same_pages(client, alice, loaded, call_intake):
    now = timezone.now()
    response = start_published_response(questionnaire_slug="call-intake", patient=alice, now=now)
    token = issue_link(
        patient=alice,
        purpose=LinkPurpose.INTAKE,
        proof=Proof.MAILED,
        subject_id=response.pk,
        expires_at=now + timedelta(days=1),
        now=now,
    )
    assert walk(client, token, call_intake, {**QUIET, "call.reason": ["may I run"]}).url == url("check", token)
    assert client.post(url("check", token)).url == url("done", token)
