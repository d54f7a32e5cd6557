"""Answers given before a booking are stored with it in one transaction.

They are never lost or stored twice, and they never block the booking."""

import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.urls import reverse

from assessments.intake.screening import Screen, read_screen, write_screen
from assessments.known_questions import HIP_INTAKE
from assessments.models import Flag, Questionnaire, Response, StaffAlert
from assessments.red_flags.definitions import load_questionnaires
from booking.models import Appointment, WaitListEntry
from booking.schedule.errors import SlotTaken
from clinic.practice.models import User
from tests.assessments.answering import posted
from tests.assessments.fhir_examples import calculated, of
from tests.booking.locking import race
from tests.booking.pages.screening import CALM, begin, walk
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
WORRIED = CALM | {"rf.move": ["walk-groin"]}
URGENT = Screen("/", answers={"rf.move": ["walk-groin"]}, saved=["signs"])


@pytest.fixture
def service(evaluation):
    load_questionnaires(now=NOW)
    User.objects.create_superuser("charlie@example.com", name="Charlie Therapist")
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    return evaluation


@pytest.fixture
def screened(client, service):
    """A visitor who has answered the screen, read the urgent advice, and gone on to the times."""
    at = walk(client, "/book/evaluation/", WORRIED)
    client.post(at, {"deadline": client.get(at).context["deadline"]})
    assert walk(client, "/book/evaluation/", WORRIED) == "/book/evaluation/"
    return client


def form(key=None):
    details = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}
    return details | {"idempotency_key": key or uuid.uuid4()}


def details_url():
    return reverse("booking:details", args=["evaluation", "meredith", NINE_ON_TUESDAY])


def test_flags_are_written_with_the_visit_or_not_at_all(screened, monkeypatch):
    """A crash between storing the answers and the commit rolls both back. The visitor's session keeps the answers."""

    def crash(*args, **kwargs):
        raise RuntimeError("the process dies")

    screened.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("booking.actions.book.plan_visit_messages", crash)
        assert screened.post(details_url(), form()).status_code == 500
    assert not Appointment.objects.exists() and not Flag.objects.exists() and not Response.objects.exists()
    assert read_screen(screened.session).answers["rf.move"] == ["walk-groin"]
    assert screened.post(details_url(), form()).status_code == 303
    assert Flag.objects.get().rule_id == "RF16"


def test_flags_are_stored_when_the_site_crashes_right_after_the_booking(screened, monkeypatch):
    def crash(*args, **kwargs):
        raise RuntimeError("the process dies")

    screened.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr("booking.presenters.one_time.forget_screen", crash)
        assert screened.post(details_url(), form()).status_code == 500
    assert Appointment.objects.get().intake.flags.get().rule_id == "RF16"
    assert StaffAlert.objects.exists()


def test_second_click_neither_loses_nor_duplicates_the_answers(screened):
    key, before = uuid.uuid4(), read_screen(screened.session)
    screened.post(details_url(), form(key))
    assert read_screen(screened.session) is None
    session = screened.session  # the first response was lost, so the session still has the answers
    write_screen(session, before)
    session.save()
    assert screened.post(details_url(), form(key)).status_code == 303
    assert read_screen(screened.session) is None
    assert (Appointment.objects.count(), Response.objects.count(), Flag.objects.count()) == (1, 1, 1)
    assert StaffAlert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_keep_the_answers_once(service):
    key = uuid.uuid4()
    booked = race([lambda: book(service, idempotency_key=key, screen=URGENT, is_known=False)] * 6)
    assert {one.pk for one in booked} == {Appointment.objects.get().pk}
    assert (Response.objects.count(), Flag.objects.count(), StaffAlert.objects.count()) == (1, 1, 1)


def test_refused_booking_keeps_nothing_and_leaves_the_answers_with_the_visitor(screened, service):
    book(service, name="Bob Quick")
    before = Response.objects.count()
    assert screened.post(details_url(), form()).status_code == 409
    assert Response.objects.count() == before and not Flag.objects.exists()
    assert read_screen(screened.session) is not None


def test_refused_booking_with_answers_raises_slot_taken(service):
    book(service, name="Bob Quick")
    with pytest.raises(SlotTaken):
        book(service, screen=URGENT)
    assert not Flag.objects.exists()


def test_only_advice_that_was_shown_and_acknowledged_counts_as_read(service):
    answers = {"rf.move": ["walk-groin"], "rf.signs": ["cancer", "calf-swollen"]}
    read = {"RF16": "24 h", "RF27": "48 h"}  # RF27 was more urgent than the advice that was shown
    visit = book(service, screen=Screen("/", answers=answers, read=read))
    acknowledged = {flag.rule_id: flag.patient_acknowledged_at for flag in visit.intake.flags.all()}
    assert {rule for rule, at in acknowledged.items() if at} == {"RF16"}
    assert set(acknowledged) == {"RF16", "RF27", "RF28"}


def test_emergency_is_not_acknowledged_in_advance(service):
    visit = book(service, screen=Screen("/", answers={"rf.leg": ["saddle"]}, read={"RF01": "now"}))
    assert visit.intake.flags.get().patient_acknowledged_at is None


def test_urgent_advice_is_shown_again_when_its_deadline_is_sooner(client, service):
    stop = reverse("assessments:screen_stop")
    assert walk(client, "/book/evaluation/", CALM | {"rf.move": ["rest-night"]}) == stop
    assert client.get(stop).context["deadline"] == "48 h"
    page = reverse("assessments:screen_page", args=["signs"])
    client.post(page, posted(client.get(page).text, CALM | {"rf.move": ["rest-night"], "rf.signs": ["calf-swollen"]}))
    client.post(stop, {"deadline": "48 h"})  # the page that was open in another tab
    assert read_screen(client.session).read == {"RF18": "48 h"}
    assert client.get(stop).context["deadline"] == "same day"


def test_emergency_cannot_be_skipped(client, service):
    stop = reverse("assessments:screen_stop")
    assert walk(client, "/book/evaluation/", CALM | {"rf.leg": ["saddle"]}) == stop
    assert begin(client, "/book/evaluation/", "skip").headers["Location"] == stop
    assert client.get("/book/evaluation/").headers["Location"] == stop
    assert client.post(details_url(), form()).headers["Location"] == stop
    assert not Appointment.objects.exists()


def test_emergency_before_a_booking_is_shown_before_a_missing_answer(client, service):
    page = begin(client, "/book/evaluation/").headers["Location"]
    shown = client.get(page)
    answered = client.post(page, posted(shown.text, {"rf.leg": ["none", "saddle"]}))
    assert answered.headers["Location"] == reverse("assessments:screen_stop")
    assert read_screen(client.session).answers == {"rf.leg": ["saddle"]}


def test_first_not_sure_before_a_booking_asks_what_about_first(client, service):
    page = begin(client, "/book/evaluation/").headers["Location"]
    again = client.post(page, posted(client.get(page).text, CALM | {"rf.leg": ["unsure"]}))
    assert again.status_code == 200 and "one more question" in again.text
    left_open = client.post(page, posted(again.text, CALM | {"rf.leg": ["unsure"]}))
    assert left_open.headers["Location"] == reverse("assessments:screen_stop")


def test_page_of_the_screen_shows_a_current_emergency_first(client, service):
    walk(client, "/book/evaluation/", CALM | {"rf.leg": ["saddle"]})
    page = client.get(reverse("assessments:screen_page", args=["safety"])).text
    assert page.index("tel:911") < page.index("<h1>")


def test_wait_list_keeps_the_answers_and_tells_staff(screened, service):
    url = reverse("booking:join_wait_list", args=["evaluation"])
    wishes = {"first_on": "2026-11-24", "last_on": "2026-12-18", "part_of_day": ""}
    assert screened.post(url, form() | wishes).status_code == 303
    patient = WaitListEntry.objects.get().patient
    assert Flag.objects.get().response.patient == patient and StaffAlert.objects.exists()
    assert read_screen(screened.session) is None


def test_wait_list_stores_the_answers_of_a_person_who_is_already_on_it(screened, service):
    url = reverse("booking:join_wait_list", args=["evaluation"])
    wishes = {"first_on": "2026-11-24", "last_on": "2026-12-18", "part_of_day": ""}
    before = read_screen(screened.session)
    screened.post(url, form() | wishes)
    Flag.objects.all().delete()
    session = screened.session
    write_screen(session, before)
    session.save()
    screened.post(url, form() | wishes)
    assert WaitListEntry.objects.count() == 1 and Flag.objects.get().rule_id == "RF16"


def test_answers_are_stored_in_the_hip_intake_when_the_visits_intake_does_not_ask_them(service):
    small = of({"linkId": "signs", "type": "group", "text": "Other", "item": [{"linkId": "a", "type": "string"}]})
    Questionnaire.objects.create(
        slug="small", version=1, title="Small", definition=small, published_at=NOW, created_at=NOW
    )
    service.intake_slug = "small"
    visit = book(service, screen=URGENT)
    assert visit.intake.questionnaire.slug == "small" and not visit.intake.flags.exists()
    flag = Flag.objects.get()
    assert flag.response.questionnaire.canonical == HIP_INTAKE and flag.response.patient == visit.patient


def test_answers_are_stored_when_their_questionnaire_is_no_longer_published(service):
    Questionnaire.objects.update(published_at=None)
    visit = book(service, screen=URGENT)
    assert visit.intake is None and Flag.objects.get().rule_id == "RF16"


UNIT_ONLY = of(
    {
        "linkId": "a",
        "type": "quantity",
        "text": "Distance",
        "initial": [{"valueQuantity": {"unit": "km", "code": "km"}}],
    },
    {
        "linkId": "b",
        "type": "decimal",
        "text": "Twice",
        "extension": [calculated("%resource.item.where(linkId='a').answer.value.value * 2")],
    },
)


@pytest.mark.parametrize(
    "definition",
    [
        {"resourceType": "Questionnaire", "item": "nonsense"},
        {},
        UNIT_ONLY,
        {
            "resourceType": "Questionnaire",
            "item": [{"linkId": "a", "type": "integer", "initial": [{"valueString": "x"}]}],
        },
    ],
)
def test_visit_is_booked_when_its_questionnaire_is_invalid(service, definition, caplog):
    Questionnaire.objects.create(
        slug="odd", version=1, title="Odd", definition=definition, published_at=NOW, created_at=NOW
    )
    service.intake_slug = "odd"
    visit = book(service, screen=URGENT)
    assert visit.status == "booked" and Flag.objects.get().rule_id == "RF16"


@pytest.mark.parametrize("error", [RuntimeError("canary saddle"), KeyError("x"), ValueError("y"), RecursionError()])
def test_visit_is_booked_without_its_intake_when_that_fails(client, service, monkeypatch, caplog, error):
    def fail(**kwargs):
        raise error

    monkeypatch.setattr("assessments.intake.screening.start_published_response", fail)
    assert client.post(details_url(), form()).status_code == 303
    visit = Appointment.objects.get()
    assert visit.intake is None
    assert error in [record.exc_info[1] for record in caplog.records if record.exc_info]
    client.force_login(User.objects.get())
    today = client.get(reverse("admin:index")).text
    assert "Visits without their questions" in today and "Alice Runner" in today
    assert "questions not started" in client.get(reverse("admin:booking_appointment_changelist")).text


def test_database_error_of_an_intake_leaves_the_booking_usable(service, monkeypatch):
    """The savepoint rolls back the failed intake. Without it, the whole transaction would fail."""

    def fail(**kwargs):
        Response.objects.create(questionnaire_id=uuid.uuid4(), patient=kwargs["patient"], created_at=None)

    monkeypatch.setattr("assessments.intake.screening.start_published_response", fail)
    assert book(service).status == "booked"


def test_database_outage_is_not_treated_as_an_invalid_questionnaire(service, monkeypatch):
    def fail(**kwargs):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("assessments.intake.screening.start_published_response", fail)
    with pytest.raises(OperationalError):
        book(service)
    assert not Appointment.objects.exists()


def test_visit_with_an_intake_is_not_listed_as_one_without(client, service):
    book(service, starts_at=NINE_ON_TUESDAY + timedelta(days=1))
    client.force_login(User.objects.get())
    assert "Visits without their questions" not in client.get(reverse("admin:index")).text
