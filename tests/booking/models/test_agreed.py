"""A visit keeps the length, price and late fee that were agreed when its time was held."""

import re
import uuid
from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from booking.actions.book import BookingRequest, Contact, book_appointment
from booking.actions.change import move_appointment
from booking.actions.hold import hold_time, hold_token
from booking.models import Appointment, Service
from booking.schedule.availability import free_slots
from booking.schedule.errors import SlotNotOffered, TermsChanged
from booking.schedule.slots import Slot
from booking.schedule.visit_links import visit_path
from clinic.practice.models import User
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
DEARER = {"minutes": 90, "price_cents": 20000, "late_fee_cents": 9900, "turnover_minutes": 0}
ALICE = Contact(name="Alice Runner", email="alice@example.com", phone="+16035550199")
TYPED = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0199", "mode": "in_person"}
NINE = "/book/evaluation/meredith/20261201T1400Z/"


def hold(service, *, starts_at=NINE_ON_TUESDAY, **changes):
    slot = Slot(service, service.therapists.first(), starts_at)
    return hold_time(**{"slot": slot, "idempotency_key": uuid.uuid4(), "now": NOW} | changes)


def book_held(held, *, now=NOW, **changes):
    service = Service.objects.get(pk=held.service_id)
    booking = BookingRequest(
        slot=Slot(service, held.therapist, held.starts_at),
        mode="in_person",
        contact=ALICE,
        idempotency_key=held.idempotency_key,
        hold_token=hold_token(held),
        **changes,
    )
    return book_appointment(booking=booking, now=now)


def agreed(visit) -> tuple:
    return visit.minutes, visit.price_cents, visit.late_fee_cents, (visit.blocked.upper - visit.blocked.lower) // MINUTE


@pytest.mark.parametrize("after", [timedelta(), timedelta(minutes=15)], ids=["live", "run out"])
def test_hold_is_booked_with_its_terms_when_the_service_changes_meanwhile(evaluation, after):
    held = hold(evaluation)
    Service.objects.update(**DEARER)
    visit = book_held(held, now=NOW + after)
    assert visit.pk == held.pk
    assert agreed(Appointment.objects.get()) == (45, 15000, 0, 60)


def test_held_time_that_no_longer_fits_is_refused_and_nothing_is_booked(evaluation, meredith):
    held = hold(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=2))
    meredith.opening_hours.filter(opens="09:00").update(closes="11:30")
    with pytest.raises(SlotNotOffered):
        book_held(held)
    assert Appointment.objects.get().status == "held"


def test_hold_keeps_its_length_when_a_longer_visit_would_overlap_the_next(evaluation):
    held = hold(evaluation)
    book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    Service.objects.update(**DEARER)  # 90 minutes would overlap Bob's visit
    assert agreed(book_held(held))[0] == 45


def test_visit_keeps_its_terms_when_the_service_changes_and_when_it_moves(evaluation, clinic):
    visit = book(evaluation)
    Service.objects.update(**DEARER)
    slots = free_slots(
        service=Service.objects.get(), first_day=TUESDAY, days=1, now=NOW, clinic=clinic, in_place_of=visit
    )
    eleven = NINE_ON_TUESDAY + timedelta(hours=2)  # 45 minutes fit before lunch, 90 do not
    assert {slot.minutes for slot in slots} == {45} and eleven in {slot.starts_at for slot in slots}
    moved = move_appointment(appointment=Appointment.objects.get(), starts_at=eleven, now=NOW)
    moved.refresh_from_db()
    assert (moved.starts_at, agreed(moved)) == (eleven, (45, 15000, 0, 60))


def test_pages_show_the_visits_own_length_price_and_fee(evaluation):
    evaluation.late_fee_cents = 4000
    evaluation.save()
    visit = book(evaluation)
    Service.objects.update(**DEARER)
    client = Client()
    with time_machine.travel(NOW, tick=False):
        page = text_of(client.get(visit_path(visit, now=NOW)))
        assert "45 minutes · $150" in page and "costs $40" in page
        assert "$200" not in page and "$99" not in page
        client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
        staff = text_of(client.get(f"/admin/booking/appointment/{visit.pk}/change/"))
        assert "45 minutes, $150" in staff and "costs $40" in staff
        service_page = text_of(client.get(f"/admin/booking/service/{evaluation.pk}/change/"))
        assert "1 visit ahead" in service_page


def test_form_of_a_held_time_shows_what_was_held_and_books_it(evaluation):
    client = Client()
    with time_machine.travel(NOW, tick=False):
        path = client.post(NINE + "hold/", {"key": str(uuid.uuid4())})["Location"]
        Service.objects.update(**DEARER)
        form = client.get(path)
        assert "45 minutes · $150" in text_of(form) and "$200" not in text_of(form)
        assert client.post(path, TYPED | hidden(form)).status_code == 303
    assert agreed(Appointment.objects.get()) == (45, 15000, 0, 60)


def test_form_without_a_hold_says_so_when_price_or_length_changed_and_books_on_the_second_press(evaluation):
    client = Client()
    with time_machine.travel(NOW, tick=False):
        form = client.get(NINE + "form/")
        Service.objects.update(**DEARER)
        refused = client.post(NINE + "form/", TYPED | hidden(form))
        assert refused.status_code == 409
        assert "1 hour 30 minutes" in text_of(refused) and "costs $200" in text_of(refused)
        assert not Appointment.objects.exists()
        assert client.post(NINE + "form/", TYPED | hidden(refused)).status_code == 303
    assert agreed(Appointment.objects.get()) == (90, 20000, 9900, 90)


def test_booking_is_refused_when_the_terms_were_not_shown(evaluation):
    held = hold(evaluation)
    dearer = Service(minutes=90, price_cents=20000).fingerprint
    with pytest.raises(TermsChanged):
        book_held(held, terms_seen=dearer)
    assert book_held(held, terms_seen=evaluation.fingerprint).status == "booked"


@pytest.mark.parametrize(
    "changed",
    [
        {"minutes": 46},
        {"price_cents": 1},
        {"late_fee_cents": 1},
        {"is_first_late_free": False},
        {"late_fee_note": "We waive it when you are ill."},
    ],
)
def test_changed_terms_are_shown_before_they_are_booked(evaluation, changed):
    client = Client()
    with time_machine.travel(NOW, tick=False):
        form = client.get(NINE + "form/")
        Service.objects.update(**changed)
        refused = client.post(NINE + "form/", TYPED | hidden(form))
        assert refused.status_code == 409 and not Appointment.objects.exists()
        assert bool(refused.context["agreed"].late_fee_text) == ("late_fee_cents" in changed)
        words = text_of(refused).partition("You are not booked yet. ")[2]
        assert words.startswith(f"{refused.context['agreed'].late_fee_text} Press the button again".strip())


def hidden(page) -> dict:
    html = page.content.decode()
    return {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in ("idempotency_key", "terms_seen")}


def test_migration_copies_terms_to_existing_visits_and_sets_purposes(evaluation, call):
    migration = import_module("booking.migrations.0010_what_was_agreed")
    Service.objects.filter(pk=evaluation.pk).update(late_fee_cents=4000, late_fee_note="We waive it in snow.")
    visits = [book(evaluation), book(call, starts_at=NINE_ON_TUESDAY + timedelta(hours=2))]
    Appointment.objects.update(price_cents=0, late_fee_cents=0, late_fee_note="")
    follow_up = Service.objects.create(slug="follow-up-visit", name="Again", summary="", minutes=30, price_cents=9000)
    other = Service.objects.create(slug="recall-clinic", name="Recall", summary="", minutes=30, price_cents=9000)

    apps_then = MigrationLoader(connection).project_state(("booking", "0010_what_was_agreed")).apps
    migration.agree_on_todays_terms(apps_then, None)
    migration.guess_purposes(apps_then, None)

    rows = {visit.pk: visit for visit in Appointment.objects.all()}
    assert [(rows[visit.pk].price_cents, rows[visit.pk].late_fee_cents) for visit in visits] == [(15000, 4000), (0, 0)]
    purposes = [Service.objects.get(pk=one.pk).purpose for one in (evaluation, call, follow_up, other)]
    assert purposes == ["evaluation", "call", "follow_up", "other"]


def test_staff_see_durations_in_the_same_form_as_patients(client, evaluation):
    Service.objects.filter(pk=evaluation.pk).update(minutes=60)
    visit = book(Service.objects.get(pk=evaluation.pk))
    client.force_login(User.objects.create_superuser("olga@clinic.example", name="Olga"))
    page = text_of(client.get(f"/admin/booking/appointment/{visit.pk}/change/"))
    assert "1 hour, $150" in page and "60 minutes, $150" not in page
