"""Time is blocked in the admin: filled in from the calendar, and confirmed by those who saw the visits in the way."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from booking.actions.block_time import block_time
from booking.models import Appointment, HoursOverride, Service
from clinic.outbox.models import Message
from tests.factories import UserFactory
from tests.pages import text_of
from tests.world import HOUR, NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

BLOCK = "/admin/booking/hoursoverride/add/"
ASKED = "booking_asked_to_move"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sam(client, db):
    """Sam of the front desk, signed in."""
    sam = UserFactory(name="Sam Front", roles=["front-desk"])
    client.force_login(sam)
    return sam


@pytest.fixture
def morning(meredith):
    return {
        "kind": "closure",
        "therapist": meredith.pk,
        "starts_at": "2026-12-01T08:00",
        "ends_at": "2026-12-01T12:00",
    }


def sent_by(page, **more) -> dict:
    """Return the inputs of the list of visits as a browser sends them, with the checkbox checked."""
    html = page.content.decode()
    shown = re.findall(r'name="visits_shown" value="([^"]+)"', html)
    asks = re.findall(r'name="ask" value="([^"]+)" checked', html)
    return {"visits_shown": shown, "ask": asks, "despite_visits": "on"} | more


def test_patients_in_the_way_are_listed_with_phone_links_and_asked_to_choose_another_time(
    client, sam, evaluation, morning
):
    visit = book(evaluation)
    page = client.post(BLOCK, morning)
    assert not HoursOverride.objects.exists()
    html = page.content.decode()
    assert 'href="tel:+16035550199"' in html and "Alice Runner" in html
    done = client.post(BLOCK, morning | sent_by(page), follow=True)
    assert text_of(done).count("1 patient asked to choose another time") == 1
    closure = HoursOverride.objects.get()
    assert (closure.starts_at, closure.created_by) == (datetime(2026, 12, 1, 13, tzinfo=UTC), sam)
    assert Message.objects.filter(kind=ASKED, subject_id=visit.pk, state="waiting").count() == 1
    assert client.get(reverse("admin:booking_hoursoverride_change", args=[closure.pk])).status_code == 200


def test_patients_are_asked_only_where_staff_chose_it(client, sam, evaluation, morning):
    chosen, other = book(evaluation), book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR, name="Bob Walker")
    page = client.post(BLOCK, morning)
    assert len(sent_by(page)["ask"]) == 2
    client.post(BLOCK, morning | sent_by(page, ask=[f"{chosen.pk}={chosen.shown}"]))
    assert [one.subject_id for one in Message.objects.filter(kind=ASKED)] == [chosen.pk]
    assert HoursOverride.objects.count() == 1 and other.status == "booked"


def test_visit_booked_after_the_list_was_shown_is_listed_first_and_choices_are_kept(client, sam, evaluation, morning):
    visit = book(evaluation)
    page = client.post(BLOCK, morning)
    late = book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR, name="Bob Walker")
    again = client.post(BLOCK, morning | sent_by(page, ask=[]))
    assert not HoursOverride.objects.exists()
    rows = again.context["adminform"].form.in_the_way
    assert {row.visit.pk: row.is_to_ask for row in rows} == {visit.pk: False, late.pk: True}
    assert client.post(BLOCK, morning | sent_by(again)).status_code == 302


@pytest.mark.parametrize("why", ["no email", "not online", "asked already"])
def test_patient_who_cannot_choose_online_is_to_be_called(client, sam, evaluation, morning, why):
    visit = book(evaluation, email="" if why == "no email" else "alice@example.com", by=sam)
    if why == "not online":
        Service.objects.update(listing="call_us")
    if why == "asked already":
        block_time(therapist=None, starts_at=visit.starts_at, ends_at=visit.ends_at, despite_visits=True, by=sam)
        client.post(reverse("admin:booking_appointment_act", args=[visit.pk, "ask-to-move"]), {"version": visit.shown})
    page = client.post(BLOCK, morning)
    assert sent_by(page)["ask"] == []
    assert 'href="tel:+16035550199"' in page.content.decode()
    forged = sent_by(page, ask=[f"{visit.pk}={visit.shown}"])
    assert client.post(BLOCK, morning | forged).status_code == 302
    assert Message.objects.filter(kind=ASKED).count() == (why == "asked already")


def test_those_who_may_not_see_visits_see_their_number_and_ask_nobody(client, evaluation, morning):
    from django.contrib.auth.models import Permission

    user = UserFactory(roles=["editor"])
    user.user_permissions.add(*Permission.objects.filter(codename__in=["add_hoursoverride", "view_hoursoverride"]))
    client.force_login(user)
    visit = book(evaluation)
    page = client.post(BLOCK, morning)
    assert "Alice" not in page.content.decode() and "1 visit" in text_of(page)
    forged = sent_by(page, ask=[f"{visit.pk}={visit.shown}"])
    assert client.post(BLOCK, morning | forged).status_code == 302
    assert not Message.objects.filter(kind=ASKED).exists()


def test_visit_page_offers_other_times_once(client, sam, evaluation):
    visit = book(evaluation)
    url = reverse("admin:booking_appointment_act", args=[visit.pk, "ask-to-move"])
    page = reverse("admin:booking_appointment_change", args=[visit.pk])
    block_time(therapist=None, starts_at=visit.starts_at, ends_at=visit.ends_at, despite_visits=True, by=sam)
    assert url in client.get(page).content.decode()
    client.post(url, {"version": visit.shown})
    assert Message.objects.filter(kind=ASKED).count() == 1
    assert url not in client.get(page).content.decode()


def test_visit_page_asks_about_a_free_time_by_blocking_it(client, sam, evaluation):
    visit = book(evaluation)
    page = reverse("admin:booking_appointment_change", args=[visit.pk])
    act = reverse("admin:booking_appointment_act", args=[visit.pk, "ask-to-move"])
    address = client.get(page).context["block_to_ask"]
    assert act not in client.get(page).content.decode()
    text = text_of(client.post(act, {"version": visit.shown}, follow=True))
    assert "not blocked" in text and not Message.objects.filter(kind=ASKED).exists()
    form = client.get(address).context["adminform"].form
    sent = {name: form[name].value() for name in ("kind", "therapist", "starts_at", "ends_at")}
    listed = client.post(address, sent)
    assert client.post(address, sent | sent_by(listed) | {"_save": "Save"}).url == page
    closure = HoursOverride.objects.get()
    assert (closure.therapist, closure.interval) == (visit.therapist, visit.interval)
    assert Message.objects.filter(kind=ASKED, subject_id=visit.pk, state="waiting").count() == 1
    assert client.get(page).context["block_to_ask"] == ""


def test_form_is_filled_in_from_the_calendar_and_returns_to_it(client, sam, meredith):
    query = {
        "therapist": meredith.pk,
        "starts_at": "2026-12-01T09:00",
        "ends_at": "2026-12-01T10:30",
        "back": "/admin/",
    }
    page = client.get(BLOCK, query)
    form = page.context["adminform"].form
    assert [form[name].value() for name in ("therapist", "starts_at", "ends_at")] == [
        str(meredith.pk), "2026-12-01T09:00", "2026-12-01T10:30",
    ]  # fmt: skip
    url = page.wsgi_request.get_full_path()
    sent = {"kind": "closure", **{name: form[name].value() for name in ("therapist", "starts_at", "ends_at")}}
    answer = client.post(url, sent | {"_save": "Save"})
    assert answer["Location"] == "/admin/"
    assert HoursOverride.objects.get().ends_at == NINE_ON_TUESDAY + timedelta(minutes=90)


@pytest.mark.parametrize("query", ["starts_at=x&therapist=1", "starts_at=2026-13-01T09:00&ends_at=١", "kind=extra"])
def test_garbage_in_the_query_is_ignored(client, sam, meredith, query):
    page = client.get(f"{BLOCK}?{query}")
    assert page.status_code == 200
    assert page.context["adminform"].form["starts_at"].value() is None


def test_list_of_visits_in_the_way_costs_the_same_for_one_and_for_thirty(
    client, sam, evaluation, morning, django_assert_max_num_queries
):
    Service.objects.update(minutes=5, start_step_minutes=5, turnover_minutes=0)
    evaluation.refresh_from_db()

    def count() -> int:
        with django_assert_max_num_queries(100) as queries:
            client.post(BLOCK, morning)
        return len(queries)

    book(evaluation)
    count()
    once = count()
    for number in range(1, 30):
        book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(minutes=5 * number), name=f"R{number} Runner")
    assert Appointment.objects.count() == 30
    assert count() <= once
