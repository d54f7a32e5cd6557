"""A hold keeps a chosen time for ten minutes, can be renewed once, and belongs to one browser."""

import re
import uuid
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.test import Client

from booking.actions.block_time import block_time
from booking.actions.hold import HOLD, find_hold, hold_time, hold_token, release_hold, renew_hold
from booking.models import Appointment
from booking.schedule.availability import free_slots
from booking.schedule.errors import HoldNotRenewable, SlotNotOffered, SlotTaken
from booking.schedule.rules import bookable_time
from booking.schedule.slots import Slot
from clinic.practice.models import Clinic
from tests.booking.holding import NINE, TEN, TYPED, press, typed
from tests.booking.locking import kinds_of, race
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book


def hold(service, *, starts_at=NINE_ON_TUESDAY, key=None, now=NOW):
    slot = Slot(service, service.therapists.first(), starts_at)
    return hold_time(slot=slot, idempotency_key=key or uuid.uuid4(), now=now)


def starts(service, clinic, now=NOW):
    return [slot.starts_at for slot in free_slots(service=service, first_day=TUESDAY, days=1, now=now, clinic=clinic)]


def test_held_time_is_taken_for_others_until_it_expires(evaluation, clinic):
    held = hold(evaluation)
    assert NINE_ON_TUESDAY not in starts(evaluation, clinic)
    with pytest.raises(SlotTaken):
        book(evaluation, name="Bob")
    with pytest.raises(SlotTaken):
        hold(evaluation)
    later = NOW + timedelta(minutes=10)
    assert NINE_ON_TUESDAY in starts(evaluation, clinic, now=later)
    assert book(evaluation, name="Bob", now=later).pk != held.pk
    assert Appointment.objects.count() == 1


def test_booking_a_hold_turns_its_row_into_the_visit(evaluation):
    held = hold(evaluation)
    visit = book(evaluation, hold_token=hold_token(held), now=NOW + timedelta(minutes=9))
    assert (visit.pk, visit.reference, visit.status, visit.hold_expires_at) == (
        held.pk,
        held.reference,
        "booked",
        None,
    )
    assert Appointment.objects.count() == 1


def test_token_of_another_hold_does_not_open_a_hold(evaluation):
    held, other = hold(evaluation), hold(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    with pytest.raises(SlotTaken):
        book(evaluation, hold_token=hold_token(other))
    assert find_hold(token=hold_token(other), slot=Slot(held.service, held.therapist, held.starts_at)) is None


def test_form_of_a_hold_sent_for_another_time_books_it_and_releases_the_hold(evaluation):
    key, at_ten = uuid.uuid4(), NINE_ON_TUESDAY + timedelta(hours=1)
    hold(evaluation, key=key)
    visit = book(evaluation, starts_at=at_ten, idempotency_key=key)
    assert list(Appointment.objects.values_list("pk", "starts_at", "status")) == [(visit.pk, at_ten, "booked")]


def test_hold_can_be_booked_by_its_key_without_its_token(evaluation):
    key = uuid.uuid4()
    held = hold(evaluation, key=key)
    assert book(evaluation, idempotency_key=key).pk == held.pk


def test_hold_can_be_booked_when_the_notice_passes_meanwhile(evaluation):
    evaluation.minimum_notice_minutes = 60
    evaluation.save()
    held = hold(evaluation, now=NINE_ON_TUESDAY - timedelta(minutes=61))
    at = NINE_ON_TUESDAY - timedelta(minutes=52)
    assert bookable_time(evaluation, clinic=Clinic.objects.current(), now=at).earliest > NINE_ON_TUESDAY
    assert book(evaluation, hold_token=hold_token(held), now=at).status == "booked"


def test_hold_cannot_be_booked_when_the_time_was_blocked_meanwhile(evaluation, meredith, front_desk):
    held = hold(evaluation)
    block_time(
        therapist=meredith, starts_at=NINE_ON_TUESDAY, ends_at=NINE_ON_TUESDAY + timedelta(hours=3), by=front_desk
    )
    with pytest.raises(SlotNotOffered):
        book(evaluation, hold_token=hold_token(held))


def test_expired_hold_can_be_booked_unless_the_time_was_taken(evaluation):
    late = NOW + timedelta(minutes=15)
    held = hold(evaluation)
    assert book(evaluation, hold_token=hold_token(held), now=late).status == "booked"
    at_ten = NINE_ON_TUESDAY + timedelta(hours=1)
    held = hold(evaluation, starts_at=at_ten)
    book(evaluation, name="Bob", starts_at=at_ten, now=late)
    with pytest.raises(SlotTaken):
        book(evaluation, starts_at=at_ten, hold_token=hold_token(held), now=late)


def test_a_hold_is_renewed_once(evaluation):
    held = hold(evaluation)
    renewed = renew_hold(held, now=NOW + timedelta(minutes=1))
    assert renewed.hold_expires_at == NOW + 2 * HOLD, "an early press loses nothing"
    with pytest.raises(HoldNotRenewable):
        renew_hold(renewed, now=NOW + timedelta(minutes=5))
    release_hold(held)
    with pytest.raises(HoldNotRenewable):
        renew_hold(held, now=NOW)


def test_a_hold_that_ran_out_is_renewed_from_now(evaluation):
    late = NOW + timedelta(minutes=15)
    assert renew_hold(hold(evaluation), now=late).hold_expires_at == late + HOLD


def test_double_click_holds_once_and_a_reused_page_releases_the_first_hold(evaluation):
    key = uuid.uuid4()
    first = hold(evaluation, key=key)
    assert hold(evaluation, key=key, now=NOW + timedelta(seconds=1)).pk == first.pk
    second = hold(evaluation, key=key, starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    assert list(Appointment.objects.all()) == [second]


def test_a_release_never_frees_a_booked_visit(evaluation):
    held = hold(evaluation)
    book(evaluation, hold_token=hold_token(held))
    release_hold(held)
    assert Appointment.objects.get().status == "booked"


# The pages


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_a_hold_survives_a_reload_and_books(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    clock.shift(timedelta(minutes=3))
    for _ in range(2):
        page = client.get(place)
        assert page.status_code == 200
        assert "about 7 minutes" in page.content.decode()
    form = typed(page)
    assert client.post(place, form | {"name": ""}).status_code == 422
    booked = client.post(place, form)
    assert booked.status_code == 303
    assert client.post(place, form).status_code == 303  # a double click
    assert Appointment.objects.get().status == "booked"
    after = Client().get(place)  # another browser with the URL of the form
    assert after.status_code == 410
    assert "/visits/" not in after.text and "This time is booked" in after.text


def test_the_form_can_be_renewed_once_and_given_back(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    assert client.get(place + "renew/")["Location"] == place  # the browser keeps this URL after the button is pressed
    assert "10 more minutes" in client.get(place).text, "a look renews nothing"
    clock.shift(timedelta(minutes=9))
    assert client.post(place + "renew/")["Location"] == place
    page = client.get(place).content.decode()
    assert "about 11 minutes" in page
    assert "renew/" not in page
    back = client.post(place + "release/")
    assert back["Location"] == "/book/evaluation/2026-12-01/"
    assert not Appointment.objects.exists()


HALF_TYPED = {"name": "Mia <Runner>", "email": "not yet@", "phone": "603", "mode": "in_person", "is_for_minor": "on"}


def test_ten_more_minutes_keep_what_was_typed_and_say_until_when(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    form = typed(client.get(place)) | HALF_TYPED
    clock.shift(timedelta(minutes=9))
    before = len(client.session.keys())
    page = client.post(place + "renew/", form)
    assert page.status_code == 200
    for kept in ('value="Mia &lt;Runner&gt;"', 'value="not yet@"', 'value="603"', form["idempotency_key"]):
        assert kept in page.text
    assert re.search(r'<input[^>]*name="is_for_minor"[^>]*checked', page.text)
    until = Appointment.objects.get().hold_expires_at
    assert until == NOW + 2 * HOLD
    local = until.astimezone(NINE_ON_TUESDAY.tzinfo)
    assert f":{local:%M}" in re.search(r"You now have until ([^<]*)\.", page.text)[1]
    assert "error-summary" not in page.text and f'action="{place}"' in page.text
    assert client.cookies["hold"]["max-age"] and len(client.session.keys()) == before
    assert client.post(place, typed(page)).status_code == 303
    assert Appointment.objects.get().status == "booked"


def test_second_press_for_more_minutes_keeps_what_was_typed_and_the_hold_as_it_is(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    form = typed(client.get(place))
    client.post(place + "renew/", form)
    clock.shift(timedelta(minutes=4))
    page = client.post(place + "renew/", form)
    assert 'value="Alice Runner"' in page.text and "You now have until" not in page.text
    assert "about 16 minutes" in page.text


def test_more_minutes_for_a_hold_that_ran_out_twice_keep_what_was_typed(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    form = typed(client.get(place))
    client.post(place + "renew/", form)
    clock.shift(timedelta(minutes=21))
    page = client.post(place + "renew/", form)
    assert page.status_code == 200 and 'value="Alice Runner"' in page.text
    assert page.context["is_over"]
    book(evaluation, name="Bob Faster", now=NOW + timedelta(minutes=21))
    gone = client.post(place + "renew/", form)
    assert gone.status_code == 409 and 'value="Alice Runner"' in gone.text and "alice@example.com" in gone.text
    ten = TEN  # the nearest other time books with what was typed
    assert client.post(ten, form).status_code == 303


def test_renewed_hold_belongs_to_the_browser_until_it_expires(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    clock.shift(timedelta(minutes=19))
    client.post(place + "renew/", typed(client.get(NINE + "form/")))
    clock.shift(timedelta(minutes=9))
    assert client.get(NINE)["Location"] == place


def test_hold_that_was_renewed_late_is_released_for_another_time(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    clock.shift(timedelta(minutes=15))  # it ran out, and no one took the time
    client.post(place + "renew/")
    clock.shift(timedelta(minutes=8))
    assert press(client, TEN).status_code == 303
    assert [held.starts_at for held in Appointment.objects.all()] == [NINE_ON_TUESDAY + timedelta(hours=1)]


def test_a_hold_that_ran_out_is_offered_again(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    form = typed(client.get(place))
    clock.shift(timedelta(minutes=11))
    page = client.get(place)
    assert page.status_code == 410
    assert "still free" in page.content.decode()
    assert client.post(place, form).status_code == 303


def test_lost_hold_keeps_what_was_typed(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    form = typed(client.get(place))
    clock.shift(timedelta(minutes=11))
    book(evaluation, name="Bob Faster", now=NOW + timedelta(minutes=11))
    response = client.post(place, form)
    assert response.status_code == 409
    assert 'value="Alice Runner"' in response.content.decode()
    assert client.get(place).status_code == 409


def test_choosing_another_time_releases_the_first_hold(client, evaluation, clock):
    press(client, NINE)
    times = client.get("/book/evaluation/2026-12-01/")
    assert times.context["own_hold"]["time"].instant == NINE_ON_TUESDAY
    press(client, TEN)
    assert [held.starts_at for held in Appointment.objects.all()] == [NINE_ON_TUESDAY + timedelta(hours=1)]


def test_opening_pages_holds_no_time(client, evaluation, clock):
    for path in ("/book/evaluation/", "/book/evaluation/2026-12-01/", NINE):
        assert client.get(path).status_code == 200
    assert client.get(NINE + "hold/").status_code == 405
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("token", ["x", "A" * 43, "%E2%98%83"])
def test_foreign_or_invalid_hold_token_gets_a_plain_page(client, evaluation, clock, token):
    press(client, NINE)
    place = f"{NINE}held/{token}/"
    assert client.get(place).status_code == 409
    assert client.post(place + "release/").status_code == 303
    assert client.post(place + "renew/").status_code == 303
    assert Appointment.objects.get().status == "held"
    client.cookies["hold"] = "forged:value"
    assert press(client, TEN, key="not a key").status_code == 303


# Another time, another tab


def test_choosing_a_taken_time_keeps_the_current_hold(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    book(evaluation, name="Bob Faster", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    gone = press(client, TEN)
    assert gone.status_code == 409
    assert gone.context["own_hold"]["time"].instant == NINE_ON_TUESDAY
    assert place in gone.content.decode()
    assert client.get(place).status_code == 200
    assert client.post(place, typed(client.get(place))).status_code == 303
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}


def test_new_hold_releases_the_first_one_only_when_it_succeeds(evaluation, meredith, front_desk):
    first = hold(evaluation)
    evening = NINE_ON_TUESDAY + timedelta(hours=12)
    instead = {"idempotency_key": uuid.uuid4(), "instead_of": first}
    with pytest.raises(SlotNotOffered):
        hold_time(**instead, slot=Slot(evaluation, meredith, evening), now=NOW)
    assert Appointment.objects.get() == first
    overlapping = NINE_ON_TUESDAY + timedelta(minutes=30)  # only the visitor's own hold is at that time
    second = hold_time(**instead, slot=Slot(evaluation, meredith, overlapping), now=NOW)
    assert Appointment.objects.get() == second


def test_own_hold_that_was_booked_meanwhile_is_not_released(evaluation, meredith):
    first = hold(evaluation)
    book(evaluation, hold_token=hold_token(first))
    at_ten = NINE_ON_TUESDAY + timedelta(hours=1)
    hold_time(slot=Slot(evaluation, meredith, at_ten), idempotency_key=uuid.uuid4(), instead_of=first, now=NOW)
    assert sorted(Appointment.objects.values_list("status", flat=True)) == ["booked", "held"]


def test_second_tab_redirects_to_the_current_hold(client, evaluation, clock):
    place = press(client, NINE)["Location"]
    for path in (NINE, NINE + "form/"):
        assert client.get(path)["Location"] == place
    assert press(client, NINE, key=str(uuid.uuid4()))["Location"] == place
    assert Appointment.objects.count() == 1
    assert Client().get(NINE).status_code == 409


def test_form_of_another_tab_books_the_held_time(client, evaluation, clock):
    press(client, NINE)
    sent = client.post(NINE, TYPED | {"idempotency_key": str(uuid.uuid4())})
    assert sent.status_code == 303
    assert Appointment.objects.get().status == "booked"


@pytest.mark.django_db(transaction=True)
def test_two_visitors_who_choose_the_same_time_each_keep_one_hold(evaluation):
    """Each visitor holds a time and tries to hold the same third one. One gets it; the other keeps the first hold."""
    at_ten, at_eleven = (NINE_ON_TUESDAY + timedelta(hours=n) for n in (1, 2))
    for _ in range(5):
        Appointment.objects.all().delete()
        before = [hold(evaluation), hold(evaluation, starts_at=at_ten)]
        third = Slot(evaluation, evaluation.therapists.first(), at_eleven)
        runners = [
            partial(hold_time, slot=third, idempotency_key=uuid.uuid4(), instead_of=own, now=NOW) for own in before
        ]
        outcomes = race(runners)
        assert kinds_of(outcomes) == {"Appointment": 1, "SlotTaken": 1}
        loser = before[[isinstance(outcome, SlotTaken) for outcome in outcomes].index(True)]
        assert set(Appointment.objects.values_list("starts_at", flat=True)) == {loser.starts_at, at_eleven}
