"""A page left open while the same questions were answered elsewhere: no newer answer is overwritten unseen."""

import pytest
from django.urls import reverse

from assessments.intake.responses import find_conflicts, only_additions, save_page, save_page_as_seen
from assessments.intake.revisions import hash_page
from tests.assessments.answering import QUIET, fill_page, of_page, page_url, posted
from tests.world import NOW

pytestmark = pytest.mark.django_db


def test_stale_tab_changes_no_answer_until_both_were_shown(client, token, response):
    left_open = client.get(page_url(token, "safety")).text
    fill_page(client, token, "safety", QUIET | {"about.age": ["50-up"]})

    again = client.post(page_url(token, "safety"), posted(left_open, QUIET))

    assert again.status_code == 409
    assert again.context["form"].conflicts == ["about.age"]
    assert "Saved since you opened this page: <strong" in again.text and "50 or over" in again.text
    assert '<li><a href="#q-about.age:0">How old are you?</a></li>' in again.text
    assert 'value="21-49" id="q-about.age:2" checked' in again.text
    response.refresh_from_db()
    assert response.answers["about.age"] == ["50-up"]

    knowing = client.post(page_url(token, "safety"), posted(again.text, QUIET))
    assert knowing.status_code == 303
    response.refresh_from_db()
    assert response.answers["about.age"] == ["21-49"]


def test_stale_tab_lowers_no_flag_and_its_new_sign_counts(client, token, response):
    fill_page(client, token, "safety", QUIET)
    left_open = client.get(page_url(token, "signs")).text
    fill_page(client, token, "signs", QUIET | {"rf.move": ["limp"]})
    client.post(reverse("assessments:stop", args=[token]), {"action": "acknowledge", "level": "U"})

    again = client.post(page_url(token, "signs"), posted(left_open, QUIET | {"rf.signs": ["lump"]}))

    assert again.status_code == 409
    assert {flag.rule_id: flag.current_level for flag in response.flags.all()} == {"RF16": "U", "RF31": "U"}
    assert "Any doctor" in again.text or "care-urgent" in again.text  # the new sign's advice comes first


def test_stale_tab_is_saved_when_its_answers_are_the_same(client, token, response):
    left_open = client.get(page_url(token, "safety")).text
    fill_page(client, token, "safety", QUIET)
    assert client.post(page_url(token, "safety"), posted(left_open, QUIET)).status_code == 303


def test_stale_tab_without_proof_shows_no_stored_answer(client, token, response, intake):
    left_open = client.get(page_url(token, "safety")).text
    save_page(
        response=response, page="safety", answers=of_page(intake, "safety", QUIET | {"about.age": ["50-up"]}), now=NOW
    )
    answered = client.post(page_url(token, "safety"), posted(left_open, QUIET))
    assert answered.status_code == 303 and answered.url.endswith("saved=part")
    assert client.get(answered.url).context["saved"] == "part"
    response.refresh_from_db()
    assert response.answers["about.age"] == ["50-up"]


def test_stale_tab_before_a_booking_keeps_both_answers(client, loaded):
    client.post(reverse("assessments:screen"), {"next": "/", "action": "begin"})
    url = reverse("assessments:screen_page", args=["safety"])
    left_open = client.get(url).text
    client.post(url, posted(left_open, QUIET | {"rf.leg": ["crack"]}))

    again = client.post(url, posted(left_open, QUIET))

    assert again.url == reverse("assessments:screen_stop")  # the sign of the other tab still stops the booking
    assert client.get(reverse("assessments:screen_page", args=["signs"])).context["advice"]["level"] == "E"


@pytest.mark.parametrize(
    ("stored", "given", "is_conflict"),
    [
        (["limp"], ["none"], True),
        (["limp"], [], True),
        (["limp"], ["rest-night"], True),
        (["limp"], ["limp", "rest-night"], False),
        (["none"], ["limp"], False),
        ([], ["limp"], False),
        (["limp", "rest-night"], ["rest-night", "limp"], False),
    ],
)
def test_change_is_a_conflict_only_when_it_removes_an_answer(intake, stored, given, is_conflict):
    page = intake.page_of["rf.move"]
    stored = {"rf.move": stored} if stored else {}
    assert find_conflicts(stored, {"rf.move": given}, page) == (["rf.move"] if is_conflict else [])
    if stored and given:
        assert set(only_additions(stored, {"rf.move": given}, page)["rf.move"]) >= set(given)


def test_page_without_a_revision_is_saved(response, intake):
    page = intake.page_of["about.age"]
    for age in ("50-up", "21-49"):
        assert save_page_as_seen(response=response, page=page, answers={"about.age": [age]}, revision="", now=NOW) == []
    assert response.answers["about.age"] == ["21-49"]
    revision = hash_page(response.pk, page, {"about.age": ["50-up"]})
    sent = {"answers": {"about.age": ["50-up"]}, "revision": revision}
    assert save_page_as_seen(response=response, page=page, **sent, now=NOW) == ["about.age"]
