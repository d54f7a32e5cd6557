"""Seven questions before the times for visitors from a hip article, and their answers in the intake afterwards."""

import uuid

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from assessments.intake.responses import first_open_page
from assessments.intake.screening import is_about_hip, read_screen
from assessments.known_questions import SCREEN_PAGES
from assessments.models import Flag, Response, StaffAlert
from assessments.red_flags.definitions import load_questionnaires
from booking.models import Appointment
from clinic.practice.models import User
from education.models import Article, Topic
from tests.assessments.answering import posted
from tests.assessments.flags import flag_of
from tests.booking.pages.screening import CALM, begin, walk
from tests.factories import ArticleFactory
from tests.world import NINE_ON_TUESDAY, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


@pytest.fixture(autouse=True)
def questionnaires(clinic):
    return load_questionnaires(now=NOW)


@pytest.fixture
def hip_article():
    return ArticleFactory(slug="front")


@pytest.fixture
def days_url(evaluation, hip_article):
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    return reverse("booking:days", args=["evaluation"]) + f"?via={hip_article.code}"


def book(client, service, via):
    url = reverse("booking:details", args=[service.slug, "meredith", NINE_ON_TUESDAY]) + f"?via={via}"
    details = {
        "name": "Alice Runner",
        "email": "alice@example.com",
        "phone": "603 555 0199",
        "mode": service.offered_modes[0],
    }
    return client.post(url, {**details, "idempotency_key": uuid.uuid4()})


def test_visitor_from_a_hip_article_is_asked_before_the_times(client, days_url):
    page = client.get(days_url)
    assert "A few questions first" in page.text
    assert "choice-list" not in page.text
    assert not client.session.keys()  # opening the page stores nothing


def test_visitor_from_elsewhere_sees_the_times_and_a_button_for_hip_pain(client, days_url):
    page = client.get(days_url.partition("?")[0])
    assert "choice-list" in page.text
    assert 'name="action" value="begin"' in page.text


def where_page(client, days_url, article):
    """Return the page that asks where it hurts, after starting the screen with the form of the days page."""
    offer = client.get(days_url)
    assert f'name="article" value="{article.code}"' in offer.text
    client.post(reverse("assessments:screen"), {"next": days_url, "action": "begin", "article": article.code})
    return client.get(reverse("assessments:screen_page", args=["where"]))


def ticked_places(page):
    return [choice.value for choice in page.context["form"].choices_of(find_item(page, "loc.map")) if choice.is_checked]


def find_item(page, link_id):
    return next(item for item in page.context["page"].walk() if item.link_id == link_id)


def test_place_of_the_article_is_checked_at_first_and_can_be_unchecked(client, days_url, hip_article):
    Article.objects.update(place="front-hip")
    hip_article.refresh_from_db()
    page = where_page(client, days_url, hip_article)
    assert ticked_places(page) == ["front-hip"]
    assert f"“{hip_article.get_place_display().lower()}” is checked" in page.text
    answer = {"seen": ["loc.map", "loc.side"], "loc.map": ["knee"], "loc.side": "left"}
    client.post(reverse("assessments:screen_page", args=["where"]), answer)
    again = client.get(reverse("assessments:screen_page", args=["where"]))
    assert ticked_places(again) == ["knee"] and "checked already" not in again.text


def test_nothing_is_checked_or_stored_when_the_article_names_no_place(client, days_url, hip_article):
    page = where_page(client, days_url, hip_article)
    assert ticked_places(page) == [] and "checked already" not in page.text
    Article.objects.update(place="groin")
    assert read_screen(client.session).answers == {}  # a suggestion is not an answer


@pytest.mark.parametrize("code", ["\x00", "zzzzzz", "x" * 5000, "' OR 1", ""])
def test_unknown_article_checks_nothing(client, days_url, code):
    Article.objects.update(place="groin")
    client.post(reverse("assessments:screen"), {"next": days_url, "action": "begin", "article": code})
    assert len(read_screen(client.session).article) <= 6
    assert ticked_places(client.get(reverse("assessments:screen_page", args=["where"]))) == []


def test_visitor_who_skips_the_questions_sees_the_times(client, days_url):
    assert begin(client, days_url, "skip").headers["Location"] == days_url
    assert "choice-list" in client.get(days_url).text


def test_screen_asks_seven_questions_and_leads_to_the_times(client, days_url, questionnaires):
    intake = next(one for one in questionnaires if one.slug == "hip-running-intake").parsed
    pages = [page for page in intake.pages if page.link_id in SCREEN_PAGES]
    assert sum(item.is_question and not item.conditions for page in pages for item in page.walk()) == 7
    assert walk(client, days_url, CALM) == days_url
    assert "choice-list" in client.get(days_url).text


def test_answers_become_the_first_pages_and_are_not_asked_again(client, days_url, evaluation, hip_article):
    walk(client, days_url, CALM)
    assert book(client, evaluation, hip_article.code).status_code == 303
    intake = Appointment.objects.get().intake
    assert intake.answers["loc.map"] == ["groin"]
    assert first_open_page(intake).link_id == "onset"
    assert read_screen(client.session) is None


def test_visit_without_an_intake_still_keeps_the_answers(client, days_url, evaluation, hip_article):
    evaluation.intake_slug = ""
    evaluation.save()
    worried = CALM | {"rf.signs": ["cancer"]}
    walk(client, days_url, worried)
    client.post(reverse("assessments:screen_stop"))
    walk(client, days_url, worried)
    book(client, evaluation, hip_article.code)
    assert Response.objects.get().patient.name == "Alice Runner"
    assert Flag.objects.filter(level="U").exists()


def test_emergency_stops_the_booking_until_the_answer_changes(client, days_url, evaluation, hip_article):
    stop = reverse("assessments:screen_stop")
    assert walk(client, days_url, CALM | {"rf.leg": ["saddle"]}) == stop
    page = client.get(stop)
    assert "tel:911" in page.text and "Booking is paused" in page.text and "<form" not in page.text
    for url in (days_url, reverse("booking:times", args=["evaluation", NINE_ON_TUESDAY.date()])):
        assert client.get(url).headers["Location"] == stop
    assert client.post(stop).status_code == 200  # an emergency cannot be clicked away
    url = reverse("booking:details", args=["evaluation", "meredith", NINE_ON_TUESDAY])
    hold = reverse("booking:hold", args=["evaluation", "meredith", NINE_ON_TUESDAY])
    for way in (url, hold):
        assert client.post(way, {"name": "Alice", "key": uuid.uuid4()}).headers["Location"] == stop
    assert not Appointment.objects.exists()
    assert walk(client, days_url, CALM) == stop  # after a restart, the stored answer still stops the booking
    change = reverse("assessments:screen_page", args=["safety"])
    assert change in page.text
    client.post(change, posted(client.get(change).text, CALM))
    assert walk(client, days_url, CALM) == days_url


def test_urgent_advice_is_shown_once_and_staff_are_alerted_with_the_booking(client, days_url, evaluation, hip_article):
    User.objects.create_superuser("charlie@example.com", name="Charlie Therapist")
    stop = reverse("assessments:screen_stop")
    assert walk(client, days_url, CALM | {"rf.move": ["walk-groin"]}) == stop
    page = client.get(stop)
    assert "Stop running" in page.text and "tel:+16035550123" in page.text
    assert client.post(stop).headers["Location"].endswith("/where/")
    assert walk(client, days_url, CALM | {"rf.move": ["walk-groin"]}) == days_url
    book(client, evaluation, hip_article.code)
    flag = flag_of("RF16")
    assert flag.patient_acknowledged_at is not None
    assert StaffAlert.objects.get().level == "U"


def test_session_stores_answers_encrypted(client, days_url):
    walk(client, days_url, CALM | {"rf.signs": ["lump"]})
    (row,) = Session.objects.all()
    clear = str(row.get_decoded())
    for word in ("groin", "lump", "rf.", "21-49", "safety"):
        assert word not in clear


def test_page_without_a_screen_says_what_to_do(client, clinic):
    for name, args in (("screen_stop", []), ("screen_page", ["safety"])):
        page = client.get(reverse(f"assessments:{name}", args=args))
        assert (page.status_code, "no longer open" in page.text) == (404, True)
    assert client.get(reverse("assessments:screen")).status_code == 405


@pytest.mark.parametrize("next_path", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:1", ""])
def test_screen_redirects_only_within_this_site(client, clinic, next_path):
    assert begin(client, next_path, "skip").headers["Location"] == "/"


def test_no_url_contains_an_answer(client, days_url):
    at = begin(client, days_url).headers["Location"]
    assert "?" not in at and at.endswith("/screen/page/safety/")


def test_only_hip_articles_start_the_screen(hip_article):
    knee = Topic(name="Knee", slug="knee")
    assert is_about_hip(hip_article)
    assert not is_about_hip(None)
    assert not is_about_hip(Article(topic=knee, slug="worship-of-knees"))
    assert is_about_hip(Article(topic=knee, slug="knee-or-hip"))
