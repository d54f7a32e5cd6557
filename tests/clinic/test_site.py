"""The site as a whole: headers, front page, error pages and the demo."""

import re
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assessments.models import Questionnaire, Response
from booking.models import Appointment
from clinic.demo.clinic import DemoRefused, open_demo_clinic
from clinic.demo.visits import book_demo_visits
from clinic.practice.models import Clinic, User, reading_clinic_once
from education.models import Article
from tests.database_away import database_away
from tests.factories import ClinicFactory

pytestmark = pytest.mark.django_db


def test_page_has_strict_security_headers(client):
    headers = client.get("/").headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert not client.cookies


def test_admin_login_has_the_same_policy(client):
    assert "unsafe" not in client.get(reverse("admin:login")).headers["Content-Security-Policy"]


def test_front_page_opens_when_no_clinic_row_exists(client):
    response = client.get("/")

    assert response.status_code == 200


def test_front_page_of_the_demo_shows_prices_hours_and_the_next_call(client, django_assert_max_num_queries):
    open_demo_clinic(now=timezone.now())
    with django_assert_max_num_queries(9):
        page = client.get("/").content.decode()

    for words in ("$165", "15 minutes", "Meredith", "Next free call", "8:00 AM – noon", "(603) 555-0142"):
        assert words in page
    assert re.search(
        r">[^<]+\s[AP]M\sE[SD]T</time></a> \(New Hampshire time\)", page
    )  # a caller from elsewhere must see which clock this is


def test_clinic_row_is_read_once_by_each_page(client):
    now = timezone.now()
    open_demo_clinic(now=now)
    client.force_login(User.objects.create_superuser("erin@clinic.example", name="Erin"))
    days = reverse("booking:days", args=["discovery-call"])
    times = re.search(rf'href="({days}[0-9-]+/)', client.get(days).text)[1]
    paths = ("/", "/book/", days, times, "/learn/", Article.objects.first().get_absolute_url(), "/admin/")
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        read = [query for query in queries if 'FROM "practice_clinic" WHERE "practice_clinic"."id" = 1' in query["sql"]]
        assert len(read) == 1, path


def test_page_shows_the_changed_clinic_on_the_next_request(client):
    ClinicFactory(name="Lakeside")
    assert "Lakeside" in client.get("/").text
    Clinic.objects.update(name="Hillside")
    assert "Hillside" in client.get("/").text
    with reading_clinic_once():
        assert Clinic.objects.current() is Clinic.objects.current()
    assert Clinic.objects.current() is not Clinic.objects.current()


def test_front_page_labels_times_as_the_clinics_when_its_state_is_unknown(client):
    open_demo_clinic(now=timezone.now())
    Clinic.objects.update(region="")
    assert re.search(r">[^<]+\s[AP]M\sE[SD]T</time></a> \(the clinic’s time\)", client.get("/").text)


@pytest.mark.django_db(transaction=True)
def test_pages_answer_503_with_retry_advice_when_the_database_is_down():
    with database_away():
        answers = [Client(raise_request_exception=False).get(path) for path in ("/", "/book/", "/visits/x/")]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert "the same booking twice" in answer.content.decode()


def test_page_answers_500_without_retry_advice_when_our_code_fails():
    with override_settings(ROOT_URLCONF="tests.clinic.broken_urls"):
        answer = Client(raise_request_exception=False).get("/")

    assert answer.status_code == 500
    assert not answer.has_header("Retry-After") and "the same booking twice" not in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["/nowhere/", "/book/nothing/", "/visits/nothing/", "/intake/nothing/", "/learn/nothing/"]
)
def test_unknown_url_says_what_to_do_next(client, path):
    response = client.get(path)

    assert response.status_code == 404
    assert "Traceback" not in response.content.decode()
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("path", ["/", "/book/", "/learn/", "/health/"])
def test_read_only_page_refuses_post(path):
    assert Client().post(path, {}).status_code == 405


def test_demo_books_its_visits_once_when_loaded_twice():

    now = timezone.now()
    assert open_demo_clinic(now=now)
    booked = book_demo_visits(now=now)
    assert booked == Appointment.objects.count() > 0

    assert not open_demo_clinic(now=now)
    assert book_demo_visits(now=now) == 0


def test_demo_of_an_earlier_release_gets_the_newest_questions_before_its_patients_answer():
    now = timezone.now()
    open_demo_clinic(now=now)
    Questionnaire.objects.filter(slug="hip-running-intake").order_by("-version").first().delete()
    assert not open_demo_clinic(now=now)
    assert book_demo_visits(now=now) > 0
    versions = set(
        Response.objects.filter(questionnaire__slug="hip-running-intake").values_list("questionnaire__version")
    )
    assert versions == {(2,)}


def test_demo_is_refused_when_another_clinic_is_in_the_database():

    Clinic.objects.create(name="A real clinic")

    with pytest.raises(DemoRefused):
        open_demo_clinic(now=timezone.now())


def test_demo_in_production_is_refused(settings):

    settings.ENV = replace(settings.ENV, name="production")

    with pytest.raises(DemoRefused):
        open_demo_clinic(now=timezone.now())
