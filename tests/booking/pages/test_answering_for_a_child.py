"""The questions before a visit that a guardian booked for a child: the pages address the guardian, who answers."""

import pytest
import time_machine
from django.utils import timezone

from assessments.models import Questionnaire
from assessments.red_flags.definitions import load_questionnaires
from booking.schedule.visit_links import visit_path
from tests.assessments.answering import QUIET, fill_page, page_url, url, walk
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
MINOR = QUIET | {"about.age": ["under-18"], "rf.young.pop": ["no"]}
SIGNED = {"guard.name": ["Petra Runner"], "guard.relation": ["parent"], "guard.consent": [True]}


@pytest.fixture(autouse=True)
def _before_the_visit():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def intake(clinic):
    load_questionnaires(now=NOW)
    return Questionnaire.objects.published().filter(slug="hip-running-intake").first().parsed


@pytest.fixture
def begin(client, evaluation, intake):
    """Return a function that books, follows the link to the questions and returns their token."""
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()

    def begin(**contact):
        visit = book(evaluation, now=timezone.now(), **contact)
        to_questions = client.post(visit_path(visit, now=timezone.now()) + "questions/")
        return to_questions.url.strip("/").rpartition("/")[2]

    return begin


def test_start_says_to_answer_for_the_child_only_where_a_guardian_booked(client, begin):
    token = begin(name="Mia", guardian_name="Petra Runner")
    page = client.get(url("start", token)).text
    assert "Answer for your child." in page and "think about your child" in page and "Petra" not in page
    assert "your child" not in client.get(url("start", begin(starts_at=NINE_ON_TUESDAY.replace(day=8)))).text


def test_adult_age_for_a_child_is_questioned_once(client, begin, intake):
    token = begin(name="Mia", guardian_name="Petra Runner")
    fill_page(client, token, "safety", QUIET | {"about.age": ["21-49"]})
    following = intake.pages[1].link_id
    page = client.get(page_url(token, following)).text
    assert "booked for a runner" in page and f"{page_url(token, 'safety')}?change=1" in page
    assert "booked for a runner" not in client_without_sitting(client).get(page_url(token, following)).text
    fill_page(client, token, following, QUIET)
    assert "booked for a runner" not in client.get(page_url(token, intake.pages[2].link_id)).text
    fill_page(client, token, "safety", MINOR)
    assert "booked for a runner" not in client.get(page_url(token, following)).text


def client_without_sitting(client):
    return client.__class__()


def test_adult_age_is_not_questioned_when_an_adult_booked(client, begin, intake):
    token = begin()
    fill_page(client, token, "safety", QUIET)
    assert "runner under 18" not in client.get(page_url(token, intake.pages[1].link_id)).text


def test_guardians_page_addresses_the_guardian_and_shows_the_booked_name(client, begin, intake):
    token = begin(name="Mia", guardian_name="Petra Runner")
    walk(client, token, intake, MINOR, until="goals")
    page = client.get(page_url(token, "consent")).text
    assert "we ask you" in page and '<strong dir="auto">Petra Runner</strong>' in page


def test_last_page_omits_content_for_adults_only_for_a_minor(client, begin, intake, write_article):
    write_article("adults", place="front-hip", title="Grown hips", who_for="Adult runners with hip pain")
    write_article("all", place="front-hip", title="All hips", who_for="Runners")
    token = begin(name="Mia", guardian_name="Petra Runner")
    walk(client, token, intake, MINOR | SIGNED)
    client.post(url("check", token))
    page = client.get(url("done", token)).text
    assert "All hips" in page and "Grown hips" not in page
    adults = begin(starts_at=NINE_ON_TUESDAY.replace(day=8))
    walk(client, adults, intake, QUIET)
    client.post(url("check", adults))
    assert "Grown hips" in client.get(url("done", adults)).text
