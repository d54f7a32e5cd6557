"""Advice to get help is on every page of an intake until it is read, however the patient returns."""

from datetime import timedelta

import pytest
from django.test import Client

from assessments.intake.responses import complete_response, save_page
from assessments.models import Flag
from assessments.red_flags.advice import find_current_advice, find_unread
from assessments.red_flags.flags import acknowledge_flag, acknowledge_shown
from tests.assessments.answering import QUIET, fill_page, page_url, posted, save_all, url, walk
from tests.assessments.flags import flag_of
from tests.world import NOW

pytestmark = pytest.mark.django_db
EMERGENCY, URGENT = {"rf.leg": ["saddle"]}, {"rf.move": ["walk-groin"]}
LATER = NOW + timedelta(minutes=5)


@pytest.mark.parametrize(("page", "answers"), [("safety", EMERGENCY), ("signs", URGENT)])
def test_every_page_redirects_to_the_advice_when_the_tab_was_closed_before_it_was_read(
    client, token, response, intake, page, answers
):
    walk(client, token, intake, QUIET, until="safety")
    fill_page(client, token, page, QUIET | answers)
    reopened = Client()
    others = [one.link_id for one in intake.pages if one.link_id != page]
    for address in [*(url(name, token) for name in ("start", "check", "done")), *(page_url(token, o) for o in others)]:
        assert reopened.get(address).headers["Location"] == url("stop", token), address
    assert "Get help now" in reopened.get(url("stop", token)).text or page == "signs"
    assert reopened.get(url("stop", token)).context["level"] == {"safety": "E", "signs": "U"}[page]


def test_page_of_a_sign_checked_by_mistake_opens_and_starts_with_the_advice(client, token, response):
    fill_page(client, token, "safety", QUIET | EMERGENCY)
    stop = client.get(url("stop", token))
    assert stop.context["change_url"] == page_url(token, "safety")
    page = client.get(stop.context["change_url"])
    assert page.status_code == 200
    assert page.text.index("tel:911") < page.text.index("<h1>")
    assert client.post(page_url(token, "safety"), posted(page.text, QUIET)).url == page_url(token, "signs")
    assert find_unread(response) is None


def test_finished_intake_does_not_thank_the_patient_while_an_emergency_is_unread(client, token, response, intake):
    save_all(response, intake)
    complete_response(response=response, now=NOW)
    save_page(response=response, page="onset", answers={"mech": ["give-way"]}, now=NOW)
    save_page(response=response, page="health", answers={"med.conditions": ["thinner"]}, now=NOW)
    assert response.flags.filter(current_level="E").exists()
    assert client.get(url("done", token)).headers["Location"] == url("stop", token)


def test_read_advice_is_shown_until_staff_acknowledge_the_flag(client, token, response, intake, charlie):
    walk(client, token, intake, QUIET | EMERGENCY)
    complete_response(response=response, now=NOW)
    for name in ("start", "done"):
        page = client.get(url(name, token)).text
        assert page.index("Get help now") < page.index("<h1>")
    acknowledge_flag(flag=response.flags.get(), by=charlie, now=NOW)
    for name in ("start", "done"):
        assert "Get help now" not in client.get(url(name, token)).text


def test_read_advice_disappears_when_the_answer_is_changed(client, token, response, intake):
    walk(client, token, intake, QUIET | EMERGENCY, until="signs")
    assert "Get help now" in client.get(url("start", token)).text
    save_page(response=response, page="safety", answers={"rf.leg": ["none"]}, now=NOW)
    assert "Get help now" not in client.get(url("start", token)).text


def test_emergency_is_shown_before_a_lowered_emergency(client, token, response):
    """A flag that was lowered from E to U must not come before one that is an emergency now."""
    fast = {"rf.move": ["foot-slap"], "rf.foot.fast": ["yes"]}
    save_page(response=response, page="signs", answers=fast, now=NOW)
    save_page(response=response, page="signs", answers=fast | {"rf.foot.fast": ["no"]}, now=NOW)
    save_page(response=response, page="safety", answers=EMERGENCY, now=LATER)
    assert client.get(url("stop", token)).context["level"] == "E"


def test_page_about_one_level_marks_only_that_level_as_shown(client, token, response):
    save_page(response=response, page="safety", answers={"about.age": ["21-49"], "rf.body": ["none"]}, now=NOW)
    save_page(response=response, page="signs", answers=URGENT | {"rf.signs": ["none"]}, now=NOW)
    client.post(page_url(token, "safety"), {"seen": ["rf.leg"], "rf.leg": "saddle"})  # from another tab
    assert dict(response.flags.values_list("level", "shown_at"))["U"] is None
    client.post(url("stop", token), {"action": "acknowledge", "level": "E", "deadline": "now"})
    urgent = response.flags.get(level="U")
    assert urgent.shown_at and not urgent.patient_acknowledged_at


def test_acknowledging_in_one_tab_does_not_acknowledge_a_sooner_deadline_from_another(client, token, response):
    save_page(response=response, page="signs", answers={"rf.move": ["rest-night"]}, now=NOW)
    shown = client.get(url("stop", token))
    assert shown.context["deadline"] == "48 h"
    save_page(response=response, page="signs", answers={"rf.signs": ["calf-swollen"]}, now=LATER)
    form = {"action": "acknowledge", "level": "U", "deadline": shown.context["deadline"]}
    assert client.post(url("stop", token), form).url == url("stop", token)
    assert flag_of("RF27", response.flags).patient_acknowledged_at is None
    again = client.get(url("stop", token))
    assert again.context["deadline"] == "same day"
    client.post(url("stop", token), form | {"deadline": again.context["deadline"]})
    assert not response.flags.filter(patient_acknowledged_at=None).exists()


@pytest.mark.parametrize("deadline", ["", "tomorrow", "\x00"])
def test_acknowledging_an_invented_deadline_changes_nothing(client, token, response, deadline):
    save_page(response=response, page="safety", answers=EMERGENCY, now=NOW)
    client.post(url("stop", token), {"action": "acknowledge", "level": "E", "deadline": deadline})
    assert not response.flags.get().patient_acknowledged_at


def test_advice_has_the_worst_level_and_its_soonest_deadline(response):
    save_page(
        response=response, page="signs", answers={"rf.move": ["rest-night"], "rf.signs": ["calf-swollen"]}, now=NOW
    )
    advice = find_current_advice([response.pk])
    assert (advice.level, advice.deadline, advice.is_read) == ("U", "same day", False)
    acknowledge_shown(response=response, level="U", deadline="same day", now=LATER)
    assert find_current_advice([response.pk]).is_read
    assert find_unread(response) is None
    save_page(response=response, page="onset", answers={"mech": ["lock"]}, now=NOW)
    assert find_unread(response).level == "T" and not find_unread(response).is_pressing
    assert Flag.objects.advising().count() == 2
