"""The pages of a visit, of the wait list and of messages show the advice until staff have acknowledged it."""

import secrets
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from assessments.intake.responses import save_page
from assessments.intake.screening import Screen
from assessments.models import Flag
from assessments.red_flags.flags import acknowledge_flag, acknowledge_shown
from booking.models import Appointment
from booking.schedule.visit_links import intake_path, visit_path
from booking.wait_list.entries import Wishes, entry_path, join_as_visitor, join_wait_list
from clinic.outbox.messages.suppressions import messages_path
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
HELP = "Get help now"
WISHES = Wishes(NOW.date(), NOW.date() + timedelta(days=20))
PAGES = ("visit", "cancel", "coming", "not_coming", "move_days", "earlier", "address")


@pytest.fixture
def flag(visit):
    """Alice reports an emergency and closes the tab."""
    (flag,) = save_page(response=visit.intake, page="safety", answers={"rf.leg": ["saddle"]}, now=NOW)
    return flag


def open_page(visit, name="visit", proof=Proof.MAILED):
    token = visit_path(visit, proof=proof, now=NOW).strip("/").split("/")[1]
    return Client().get(reverse(f"booking:{name}", args=[token]))


def leads(page):
    """Return whether the page shows the advice before its heading."""
    return page.status_code in (200, 409) and -1 < page.text.find(HELP) < page.text.index("<h1>")


@pytest.mark.parametrize("proof", [Proof.SHOWN, Proof.MAILED])
@pytest.mark.parametrize("name", PAGES)
def test_page_of_a_visit_leads_with_an_unread_emergency(visit, flag, name, proof):
    page = open_page(visit, name, proof)
    assert leads(page)
    assert page.text.index("tel:911") < page.text.index("<h1>")


def test_visit_page_shows_read_advice_until_staff_acknowledge_it(visit, flag, charlie):
    acknowledge_shown(response=visit.intake, level="E", now=NOW)
    page = open_page(visit)
    assert leads(page) and "You told us" in page.text
    acknowledge_flag(flag=flag, by=charlie, now=NOW)
    assert HELP not in open_page(visit).text


def test_visit_page_drops_the_advice_when_the_answer_is_changed(visit, flag):
    save_page(response=visit.intake, page="safety", answers={"rf.leg": ["none"]}, now=NOW)
    assert HELP not in open_page(visit).text


def test_page_of_a_visit_shows_the_advice_when_the_answers_cannot_be_decrypted(visit, flag, settings):
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    settings.ENCRYPTION_KEYS = {"other": secrets.token_bytes(32)}
    assert leads(Client().get(path))


def test_cancelled_visit_still_leads_with_the_advice(visit, flag):
    Appointment.objects.update(status=Appointment.Status.CANCELLED, cancelled_at=NOW)
    assert leads(open_page(visit)) and "This visit is canceled" in open_page(visit).text


def test_visit_that_is_over_still_leads_with_the_advice(visit, flag, time_machine):
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    time_machine.move_to(NINE_ON_TUESDAY + timedelta(days=1), tick=False)
    page = Client().get(path)
    assert leads(page) and "This visit is over" in page.text


def test_button_beside_the_advice_leads_to_the_page_that_acknowledges_it(client, visit, flag):
    page = open_page(visit)
    token = page.context["token"]
    assert page.text.index(reverse("booking:questions", args=[token])) < page.text.index("<h1>")
    start = client.post(reverse("booking:questions", args=[token])).headers["Location"]
    assert client.get(start).headers["Location"].endswith("/stop/")


def test_wait_list_page_leads_with_the_advice(client, visit, flag, clinic):
    entry = join_wait_list(
        patient=visit.patient, service=visit.service, mode=visit.mode, wishes=WISHES, appointment=visit, now=NOW
    )
    assert leads(client.get(entry_path(entry, clinic=clinic, now=NOW)))


def test_messages_page_leads_with_the_advice(client, visit, flag):
    assert leads(client.get(messages_path(visit.patient, now=NOW)))


def test_welcome_back_page_leads_with_the_advice(client, visit, flag):
    details = {"purpose": LinkPurpose.RETURN, "subject_id": visit.patient.pk, "proof": Proof.MAILED}
    token = issue_link(patient=visit.patient, **details, expires_at=NOW + timedelta(hours=1), now=NOW)
    assert leads(client.get(reverse("booking:welcome_back", args=[token])))


def test_pages_show_no_advice_without_a_flag(client, visit, clinic):
    entry = join_wait_list(
        patient=visit.patient, service=visit.service, mode=visit.mode, wishes=WISHES, appointment=visit, now=NOW
    )
    paths = [entry_path(entry, clinic=clinic, now=NOW), messages_path(visit.patient, now=NOW)]
    pages = [open_page(visit, name) for name in PAGES] + [client.get(path) for path in paths]
    assert not [page.request["PATH_INFO"] for page in pages if "current-advice" in page.text]


def test_link_shown_to_a_browser_reveals_no_advice_of_another_visit(visit, flag, evaluation):
    """A visitor who types Alice's name and address must not learn that she needs help."""
    other = book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=1), is_known=False)
    assert HELP not in open_page(other, proof=Proof.SHOWN).text
    assert leads(open_page(other, proof=Proof.MAILED))  # a link from her mailbox shows the advice


def test_answers_before_the_booking_show_the_advice_when_the_visit_has_no_intake(visit, call):
    screen = Screen("/", answers={"rf.move": ["walk-groin"]})
    on_call = book(call, starts_at=NINE_ON_TUESDAY + timedelta(days=1), name="Maya Runner", screen=screen)
    assert on_call.intake is None and Flag.objects.get().level == "U"
    for proof in (Proof.SHOWN, Proof.MAILED):
        page = open_page(on_call, proof=proof).text
        assert page.index("be seen within 24 hours") < page.index("<h1>")


def test_answers_before_joining_show_the_advice_on_the_wait_list_page(client, visit, clinic):
    screen = Screen("/", answers={"rf.move": ["walk-groin"]})
    who = {"name": "Maya Runner", "email": "maya@example.com", "phone": "+16035550177"}
    wish = {"service": visit.service, "mode": visit.mode, "wishes": WISHES}
    entry = join_as_visitor(**who, **wish, screen=screen, now=NOW)
    page = client.get(entry_path(entry, clinic=clinic, now=NOW)).text
    assert page.index("be seen within 24 hours") < page.index("<h1>")


def test_intake_link_of_the_visit_leads_to_the_advice(client, visit, flag):
    start = client.get(intake_path(visit, proof=Proof.SHOWN, now=NOW))
    assert start.headers["Location"].endswith("/stop/")
