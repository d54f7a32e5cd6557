"""The booking pages without JavaScript: choose, book, view and cancel a visit, and open invalid URLs."""

import re
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from booking.actions.change import cancel_appointment
from booking.actions.hold import HOLD
from booking.models import Appointment, HoursOverride
from booking.schedule.local_time import LocalTime
from booking.schedule.visit_links import visit_path
from clinic.practice.access.links import issue_link
from clinic.practice.models import Clinic, LinkPurpose, Patient, PatientLink, Proof
from tests.booking.visitors import press
from tests.factories import ArticleFactory
from tests.pages import buttons, text_of
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

DAYS = "/book/evaluation/"
TUESDAY_TIMES = "/book/evaluation/2026-12-01/"
NINE = "/book/evaluation/meredith/20261201T1400Z/"
TYPED = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def article(db):
    return ArticleFactory(slug="hip-flexor", title="Pain at the front of the hip")


def typed(**changes):
    return TYPED | {"idempotency_key": str(uuid.uuid4())} | changes


def at(instant: datetime, zone_name: str) -> LocalTime:
    return LocalTime(instant, ZoneInfo(zone_name))


def hrefs(response) -> list[str]:
    return [href.replace("&amp;", "&") for href in re.findall(r'href="([^"]+)"', response.content.decode())]


def test_visit_is_booked_viewed_and_cancelled_without_javascript(client, evaluation):
    services = client.get("/book/")
    assert "Book: Evaluation 45 minutes · $150" in text_of(services)
    days = client.get(next(href for href in hrefs(services) if href.startswith(DAYS)))
    assert "Tue, Dec 1 12 times" in text_of(days)
    times = client.get(TUESDAY_TIMES)
    assert "Morning 9:00 AM 9:30 AM" in text_of(times)
    assert NINE + "hold/" in buttons(times)
    held = client.post(NINE + "hold/", {"key": re.search(r'name="key" value="([^"]+)"', times.content.decode())[1]})
    assert held.status_code == 303
    form = client.get(held["Location"])
    assert "Tuesday, December 1, 9:00 AM EST" in text_of(form)
    assert form.context["hold"]["until"].instant == NOW + HOLD and "10:10 AM EST" in text_of(form)
    key = re.search(r'name="idempotency_key" value="([^"]+)"', form.content.decode())[1]

    booked = client.post(held["Location"], typed(idempotency_key=key))
    assert booked.status_code == 303
    visit = client.get(booked["Location"])
    assert visit.context["time"].instant == NINE_ON_TUESDAY and visit.context["is_ahead"]
    assert "12 Main Street, Laconia, NH 03246" in text_of(visit)
    assert Clinic.objects.get().what_to_bring in text_of(visit)

    ask = client.get(booked["Location"] + "cancel/")
    assert "Cancel this visit?" in text_of(ask)
    assert Appointment.objects.get().status == "booked"
    done = press(client, booked["Location"] + "cancel/")
    assert (done.status_code, done["Location"]) == (303, booked["Location"])
    assert "This visit is canceled" in text_of(client.get(done["Location"]))


def test_no_get_changes_anything(client, evaluation):
    path = visit_path(book(evaluation), now=NOW)
    before = [model.objects.count() for model in (Appointment, Patient, PatientLink)]
    for page in ("/book/", DAYS, TUESDAY_TIMES, NINE, path, path + "cancel/", path + "visit.ics"):
        client.get(page)
        client.head(page)
    assert [model.objects.count() for model in (Appointment, Patient, PatientLink)] == before
    assert Appointment.objects.get().status == "booked"


def test_a_form_sent_twice_books_once_and_leads_to_the_same_visit(client, evaluation):
    form = typed()
    first, second = client.post(NINE, form), client.post(NINE, form)
    assert (first.status_code, second.status_code) == (303, 303)
    assert Appointment.objects.count() == 1
    reference = Appointment.objects.get().reference
    assert all(reference in text_of(client.get(response["Location"])) for response in (first, second))


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "Enter the patient’s name."),
        ("email", "alice", "like name@example.com"),
        ("phone", "12", "area code"),
        ("mode", "telepathy", "Choose one of the ways"),
        ("idempotency_key", "x", "valid UUID"),
    ],
)
def test_invalid_form_keeps_what_was_typed_and_names_the_error(client, evaluation, field, value, says):
    response = client.post(NINE, typed(**{field: value}))
    assert response.status_code == 422
    assert says in text_of(response)
    kept = "Alice Runner" if field != "name" else "alice@example.com"
    assert f'value="{kept}"' in response.content.decode()
    assert not Appointment.objects.exists()


def test_time_taken_meanwhile_leads_to_the_nearest_others_and_keeps_the_typed_values(client, evaluation):
    book(evaluation, name="Bob Faster")
    response = client.post(NINE, typed())
    assert response.status_code == 409
    page = response.content.decode()
    assert response.context["reason"] is None and response.context["others"]
    assert 'value="Alice Runner"' in page
    assert "Bob" not in page
    other = re.findall(r'formaction="([^"]+)"', page)[0]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    fields.pop("csrfmiddlewaretoken", None)
    assert client.post(other, fields).status_code == 303
    assert Appointment.objects.get(patient__name="Alice Runner").starts_at == NINE_ON_TUESDAY + timedelta(hours=1)


def test_a_taken_time_opened_by_an_old_link_offers_others(client, evaluation):
    book(evaluation)
    response = client.get(NINE)
    assert response.status_code == 409
    assert "/book/evaluation/meredith/20261201T1500Z/hold/" in buttons(response)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/book/nothing/", 404),
        ("/book/evaluation/2026-02-30/", 404),
        ("/book/evaluation/9999-12-31/", 404),
        ("/book/evaluation/yesterday/", 404),
        ("/book/evaluation/?from=tomorrow", 404),
        ("/book/evaluation/?from=0001-01-01", 404),
        ("/book/evaluation/2026-11-01/", 410),
        ("/book/evaluation/2030-01-01/", 200),
        ("/book/evaluation/?from=2030-01-01", 200),
        ("/book/evaluation/?from=2020-01-01", 200),
        ("/book/evaluation/?via=%00&tz=../../etc/passwd", 200),
        ("/book/evaluation/?via=zzzzzz&tz=Mars/Olympus", 200),
        ("/book/evaluation/nobody/20261201T1400Z/", 404),
        ("/book/evaluation/meredith/20261201T2500Z/", 404),
        ("/book/evaluation/meredith/99991231T2359Z/", 404),
        ("/book/evaluation/meredith/20261201T1403Z/", 404),
        ("/book/evaluation/meredith/20270301T1400Z/", 404),
        ("/book/evaluation/meredith/20261123T1800Z/", 410),
        ("/book/evaluation/meredith/20201201T1400Z/", 410),
        ("/visits/x/", 404),
        ("/visits/" + "A" * 43 + "/", 404),
        ("/visits/%E2%98%83/cancel/", 404),
        ("/visits/" + "A" * 43 + "/visit.ics", 404),
    ],
)
def test_stale_foreign_or_invalid_url_gets_a_plain_page(client, evaluation, path, status):
    response = client.get(path)
    assert response.status_code == status
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("starts", ["20261201T1403Z", "20270301T1400Z", "20261123T1800Z", "20201201T1400Z"])
def test_a_form_for_a_time_that_is_not_offered_books_nothing_and_keeps_what_was_typed(client, evaluation, starts):
    response = client.post(f"/book/evaluation/meredith/{starts}/", typed())
    assert response.status_code == 409
    assert 'value="Alice Runner"' in response.content.decode()
    assert not Appointment.objects.exists()


def test_therapist_who_does_not_offer_the_service_cannot_be_booked_for_it(client, evaluation):
    make_therapist("Nora")
    path = "/book/evaluation/nora/20261201T1400Z/"
    assert client.get(path).status_code == 404
    assert client.post(path, typed()).status_code == 404


def test_hidden_service_is_not_shown_and_a_service_by_phone_shows_the_number(client, evaluation):
    evaluation.listing = "call_us"
    evaluation.save()
    assert "(603) 555-0123" in text_of(client.get(DAYS))
    assert client.get(TUESDAY_TIMES).status_code == 404
    evaluation.listing = "hidden"
    evaluation.save()
    assert "Evaluation" not in text_of(client.get("/book/"))
    for path in (DAYS, TUESDAY_TIMES, NINE):
        assert client.get(path).status_code == 404


def test_the_busy_page_keeps_what_was_typed(client, evaluation, monkeypatch):
    from booking.schedule.errors import BusyTryAgain

    def busy(**_):
        raise BusyTryAgain

    monkeypatch.setattr("booking.presenters.one_time.book_appointment", busy)
    response = client.post(NINE, typed())
    assert response.status_code == 503
    assert 'value="Alice Runner"' in response.content.decode()
    assert response.context["is_busy"]


def test_days_without_times_show_the_next_free_time_and_the_number(client, evaluation):
    HoursOverride.objects.create(kind="closure", starts_at=NOW, ends_at=NOW + timedelta(days=30))
    page = client.get(DAYS)
    assert "from Mon, Nov 23 to Sun, Dec 20" in text_of(page)
    assert "Wednesday, December 23, 10:00 AM EST" in text_of(page)
    assert "(603) 555-0123" in text_of(page)
    assert "/book/evaluation/2026-12-23/" in hrefs(page)


def test_days_can_be_paged_up_to_the_horizon(client, evaluation):
    first = client.get(DAYS)
    assert "?from=2026-12-21" in hrefs(first)
    assert not [href for href in hrefs(first) if "2026-11" in href and "from" in href]
    second = client.get(DAYS + "?from=2026-12-21")
    assert {"?from=2026-11-23", "?from=2027-01-18"} <= set(hrefs(second))
    assert not [href for href in hrefs(client.get(DAYS + "?from=2027-01-18")) if "from=2027-02" in href]


def test_call_is_chosen_in_the_visitors_zone_with_the_clinics_time_beside_it(client, call):
    page = client.get("/book/call/2026-12-01/?tz=America/Los_Angeles")
    assert "6:00 AM 9:00 AM EST at the clinic" in text_of(page)
    at_nine = "/book/call/meredith/20261201T1400Z/?tz=America%2FLos_Angeles"
    assert at_nine.replace("?", "hold/?") in buttons(page)
    assert f"{at(NINE_ON_TUESDAY, 'America/Los_Angeles')}, which is 9:00 AM EST" in text_of(client.get(at_nine))
    booked = client.post(at_nine, typed(mode="phone"))
    visit = client.get(booked["Location"])
    assert "9:00 AM EST" in text_of(visit) and "6:00 AM PST" in text_of(visit)
    assert visit.context["called_at"] == "(603) 555-0199"
    assert Appointment.objects.get().visitor_time_zone == "America/Los_Angeles"


def test_call_is_listed_under_the_visitors_day_and_names_the_clinics_day_when_it_differs(client, call):
    page = client.get("/book/call/2026-12-02/?tz=Australia/Sydney")
    assert page.context["clock"].is_visitors and "Sydney" in text_of(page)
    assert "1:00 AM 9:00 AM EST, Tue, Dec 1 at the clinic" in text_of(page)
    assert "/book/call/meredith/20261201T1400Z/hold/?tz=Australia%2FSydney" in buttons(page)


def test_visit_in_person_is_shown_in_the_clinics_zone_and_says_so(client, evaluation):
    page = client.get(TUESDAY_TIMES + "?tz=America/Los_Angeles")
    assert "PST" not in text_of(page)
    assert not page.context["clock"].is_visitors
    client.post(NINE + "?tz=America/Los_Angeles", typed())
    assert Appointment.objects.get().visitor_time_zone == ""


def test_booking_stores_the_article_by_the_code_in_the_url(client, evaluation, article):
    via = f"?via={article.code}"
    page = client.get(DAYS + via)
    assert f"From: {article.title}" in text_of(page)
    assert TUESDAY_TIMES + via in hrefs(page)
    client.post(NINE + via, typed())
    assert Appointment.objects.get().source_article == article


def test_link_shows_the_number_and_the_policy_after_the_change_window(client, evaluation):
    path = visit_path(book(evaluation), now=NOW)
    with time_machine.travel(NINE_ON_TUESDAY - timedelta(hours=23), tick=False):
        for page in (client.get(path), client.get(path + "cancel/")):
            assert "Please call us: (603) 555-0123" in text_of(page)
            assert Clinic.objects.get().change_policy in text_of(page)
        refused = press(client, path + "cancel/")
    assert refused.status_code == 409
    assert "Please call us" in text_of(refused)
    assert Appointment.objects.get().status == "booked"


def test_link_offers_another_visit_after_the_visit(client, evaluation):
    path = visit_path(book(evaluation), now=NOW)
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(days=1), tick=False):
        assert "This visit is over" in text_of(client.get(path))
        assert press(client, path + "cancel/").status_code == 409
        assert press(client, path + "confirm/").status_code == 409
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(days=30), tick=False):
        assert client.get(path).status_code == 410


def test_confirmation_by_its_button_is_stored(client, evaluation):
    path = visit_path(book(evaluation), now=NOW)
    assert client.get(path + "confirm/").status_code == 405
    assert press(client, path + "confirm/").status_code == 303
    assert Appointment.objects.get().confirmed_at == NOW and "confirm/" not in client.get(path).text


def test_a_link_of_another_purpose_or_person_opens_no_visit(client, evaluation):
    alices = book(evaluation)
    bobs = book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    later = NOW + timedelta(days=1)
    for patient, purpose in ((alices.patient, LinkPurpose.INTAKE), (bobs.patient, LinkPurpose.VISIT)):
        token = issue_link(
            patient=patient, purpose=purpose, proof=Proof.MAILED, subject_id=alices.pk, expires_at=later, now=NOW
        )
        for name in ("visit", "cancel", "calendar"):
            assert client.get(reverse(f"booking:{name}", args=[token])).status_code == 404
        assert client.post(reverse("booking:cancel", args=[token])).status_code == 404
    assert Appointment.objects.get(pk=alices.pk).status == "booked"


def test_pages_behind_a_link_are_not_cached_indexed_or_referred(client, evaluation):
    response = client.get(visit_path(book(evaluation), now=NOW))
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"


def test_questions_open_by_a_button_only_while_the_visit_is_booked(client, evaluation):
    from assessments.models import Questionnaire

    Questionnaire.objects.create(
        slug="intake", version=1, title="Hip intake", definition={}, published_at=NOW, created_at=NOW
    )
    evaluation.intake_slug = "intake"
    visit = book(evaluation)
    path = visit_path(visit, now=NOW)
    page = client.get(path)
    assert page.context["intake_progress"] == "none"
    assert "Hip intake" not in page
    assert client.get(path + "questions/").status_code == 405
    assert client.post(path + "questions/")["Location"].startswith("/intake/")
    cancel_appointment(appointment=visit, now=NOW)
    assert client.post(path + "questions/").status_code == 409


def test_a_name_is_text_and_never_markup(client, evaluation):
    response = client.post(NINE, typed(name="<b>Eve</b> {{ 7 }}", phone=""))
    assert "&lt;b&gt;Eve" in response.content.decode()


def test_the_pages_cost_the_same_with_one_and_with_thirty_rows(client, evaluation, call, django_assert_max_num_queries):
    def count(path):
        with django_assert_max_num_queries(50) as queries:
            client.get(path)
        return len(queries)

    paths = ("/book/", DAYS, TUESDAY_TIMES, NINE)
    before = [count(path) for path in paths]
    for n in range(8):
        evaluation.therapists.add(make_therapist(f"Nora{n}", position=n + 1))
    for number, therapist in enumerate(evaluation.therapists.all()):
        for step in range(4):
            book(
                evaluation,
                therapist=therapist,
                starts_at=NINE_ON_TUESDAY + timedelta(hours=1 + step if step < 2 else 2 + step),
                name=f"Bob {number} {step}",
            )
    assert Appointment.objects.count() > 30
    assert [count(path) for path in paths] == before
    assert max(before) <= 8
