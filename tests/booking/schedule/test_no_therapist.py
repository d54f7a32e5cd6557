"""A service without an active therapist, or a visit whose therapist, mode or service is gone: the pages ask to call."""

import pytest
import time_machine
from django.urls import reverse

from booking.models import Service
from booking.schedule.visit_links import visit_path
from clinic.practice.models import Proof, Therapist
from tests.booking.visitors import press
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

PHONE = "(603) 555-0123"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def nora(evaluation):
    therapist = make_therapist("Nora", position=1)
    evaluation.therapists.add(therapist)
    return therapist


def read(client, path, status=200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


LEAVE = {
    "switched off": lambda: Therapist.objects.filter(name="Meredith").update(is_active=False),
    "removed": lambda: Service.objects.get(slug="evaluation").therapists.remove(Therapist.objects.get(name="Meredith")),
}


@pytest.mark.parametrize("leave", LEAVE)
def test_service_without_a_therapist_asks_to_call_on_every_page(client, evaluation, leave):
    book_link = f'href="{reverse("booking:days", args=["evaluation"])}"'
    for path in ("/", "/book/"):
        assert book_link in read(client, path)
    LEAVE[leave]()
    for path in ("/", "/book/"):
        page = read(client, path)
        assert book_link not in page
        assert PHONE in page
    for path in ("/book/evaluation/", "/book/evaluation/2026-12-01/", "/book/evaluation/wait/"):
        page = read(client, path)
        assert PHONE in page and "hold/" not in page, path


def test_list_mentions_online_times_only_when_there_are_some(client, evaluation):
    assert client.get("/book/").context["has_online"]
    Therapist.objects.update(is_active=False)
    assert not client.get("/book/").context["has_online"]


def test_hours_of_a_therapist_who_is_switched_off_are_not_shown(client, evaluation):
    assert "Mon–Fri" in read(client, "/")
    Therapist.objects.update(is_active=False)
    assert "Mon–Fri" not in read(client, "/")


def test_service_with_another_therapist_keeps_its_button(client, evaluation, call):
    evaluation.therapists.clear()
    assert 'href="/book/call/"' in read(client, "/")
    assert 'href="/book/evaluation/"' not in read(client, "/book/")


def test_list_of_services_costs_the_same_queries_for_one_and_for_many(
    client, evaluation, django_assert_max_num_queries
):
    def count() -> int:
        with django_assert_max_num_queries(20) as queries:
            read(client, "/book/")
        return len(queries)

    before = count()
    for number in range(10):
        service = Service.objects.create(
            slug=f"s{number}", name=f"S {number}", summary="S.", minutes=30, price_cents=100
        )
        service.therapists.add(evaluation.therapists.get())
    assert count() == before


@pytest.mark.parametrize("leave", LEAVE)
def test_move_page_starts_with_the_other_therapists_when_the_therapist_has_left(client, evaluation, nora, leave):
    visit = book(evaluation, therapist=Therapist.objects.get(name="Meredith"))
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    LEAVE[leave]()
    page = read(client, f"{path}move/")
    assert "?with=meredith" not in page
    assert client.get(f"{path}move/?with=meredith").context["is_handed_on"]
    times = read(client, f"{path}move/2026-12-01/")
    assert "to=nora" in times and "to=meredith" not in times
    assert 'value="meredith"' not in times
    assert press(client, f"{path}move/20261201T1400Z/", {"to": "nora"}).status_code == 303
    visit.refresh_from_db()
    assert visit.therapist == nora


def test_move_keeps_the_mode_that_is_no_longer_offered(client, evaluation):
    visit = book(evaluation)
    Service.objects.update(offered_modes=["video"])
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    assert "Dec 1" in read(client, f"{path}move/")
    assert press(client, f"{path}move/20261201T1800Z/", {"to": "meredith"}).status_code == 303
    visit.refresh_from_db()
    assert (visit.mode, visit.starts_at.hour) == ("in_person", 18)


GONE = {
    "hidden": lambda: Service.objects.update(listing=Service.Listing.HIDDEN),
    "by phone": lambda: Service.objects.update(listing=Service.Listing.CALL_US),
    "no therapist": lambda: Therapist.objects.update(is_active=False),
}


@pytest.mark.parametrize("gone", GONE)
def test_move_says_whom_to_call_when_the_visit_is_no_longer_booked_online(client, evaluation, gone):
    visit = book(evaluation)
    GONE[gone]()
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    for page in (read(client, f"{path}move/", 409), read(client, f"{path}move/2026-12-01/", 409)):
        assert "to move this visit" in page
        assert PHONE in page
    visit.refresh_from_db()
    assert visit.starts_at == NINE_ON_TUESDAY
