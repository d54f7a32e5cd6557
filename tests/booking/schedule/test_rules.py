"""Booking rules of a clinic: under each of them, the times offered are the times that can be booked."""

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine

from booking.actions.change import cancel_appointment
from booking.models import Appointment, HoursOverride, OpeningHours
from booking.schedule.availability import free_slots, next_free_slots
from booking.schedule.errors import NotOfferedBecause, SlotNotOffered, SlotTaken
from clinic.outbox.models import Message
from tests.booking.today import read_today
from tests.world import EVERY_RULE, NINE_ON_TUESDAY, NOW, TUESDAY, book, give_hours, make_therapist

HOUR = timedelta(hours=1)
WEDNESDAY = TUESDAY + timedelta(days=1)


def starts(service, clinic, day=TUESDAY, now=NOW, **more):
    return [
        slot.starts_at for slot in free_slots(service=service, first_day=day, days=1, now=now, clinic=clinic, **more)
    ]


def why_not(service, starts_at, now=NOW, **more) -> tuple:
    with pytest.raises(SlotNotOffered) as refused:
        book(service, starts_at=starts_at, now=now, **more)
    return refused.value.reasons


def test_full_day_offers_nothing_and_refuses_bookings(evaluation, clinic):
    evaluation.daily_cap = 2
    evaluation.save()
    first = book(evaluation)
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR, name="Bob")
    assert starts(evaluation, clinic) == []
    assert starts(evaluation, clinic, WEDNESDAY)
    assert why_not(evaluation, NINE_ON_TUESDAY + 5 * HOUR, name="Carol") == (NotOfferedBecause.CAP,)
    cancel_appointment(appointment=first, now=NOW)
    assert book(evaluation, starts_at=NINE_ON_TUESDAY + 5 * HOUR, name="Carol").status == "booked"


def test_weekly_cap_counts_from_monday_to_sunday_and_includes_completed_visits(evaluation, clinic):
    evaluation.weekly_cap = 2
    evaluation.save()
    monday = NINE_ON_TUESDAY - timedelta(days=1)
    past = book(evaluation, starts_at=monday)
    Appointment.objects.filter(pk=past.pk).update(status="completed", arrived_at=monday)
    book(evaluation, name="Bob")
    for offset in range(-1, 4):
        assert starts(evaluation, clinic, TUESDAY + timedelta(days=offset)) == []
    assert starts(evaluation, clinic, TUESDAY + timedelta(days=6))
    assert why_not(evaluation, NINE_ON_TUESDAY + timedelta(days=2), name="Carol") == (NotOfferedBecause.CAP,)


def test_caps_apply_separately_to_each_therapist_and_service(evaluation, call, clinic):
    evaluation.daily_cap = 1
    evaluation.save()
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    book(evaluation)
    assert {slot.therapist for slot in free_slots(service=evaluation, first_day=TUESDAY, days=1, now=NOW)} == {nora}
    assert starts(call, clinic)


def test_hours_by_phone_only_are_open_but_not_offered(evaluation, clinic, meredith):
    OpeningHours.objects.filter(weekday=1).update(mode="call_us")
    assert starts(evaluation, clinic) == []
    assert why_not(evaluation, NINE_ON_TUESDAY) == (NotOfferedBecause.KEPT,)
    assert [str(gap) for gap in read_today(now=NINE_ON_TUESDAY).gaps] == ["9:00 AM – 12:00 PM", "1:00 PM – 5:00 PM"]


@pytest.mark.parametrize("day", [TUESDAY, date(2027, 3, 14), date(2026, 11, 1)])
def test_reserved_hours_open_at_midnight_the_day_before(evaluation, clinic, meredith, day):
    evaluation.minimum_notice_minutes, evaluation.horizon_days = 0, 30
    evaluation.save()
    OpeningHours.objects.all().delete()
    OpeningHours.objects.create(
        therapist=meredith, weekday=day.weekday(), opens=time(16), closes=time(17), mode="reserve"
    )
    at_four = datetime(day.year, day.month, day.day, 16, tzinfo=clinic.zone).astimezone(UTC)
    eve = day - timedelta(days=1)
    midnight = datetime(eve.year, eve.month, eve.day, tzinfo=clinic.zone).astimezone(UTC)
    assert starts(evaluation, clinic, day, now=midnight - timedelta(seconds=1)) == []
    assert why_not(evaluation, at_four, now=midnight - timedelta(seconds=1)) == (NotOfferedBecause.KEPT,)
    assert starts(evaluation, clinic, day, now=midnight) == [at_four]
    assert book(evaluation, starts_at=at_four, now=midnight).status == "booked"


def test_times_next_to_a_visit_are_listed_first_when_the_service_avoids_gaps(evaluation, clinic, client):
    evaluation.start_step_minutes = 60
    evaluation.prefers_no_gaps = True
    evaluation.save()
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    slots = free_slots(service=evaluation, first_day=TUESDAY, days=1, now=NOW, clinic=clinic)
    beside = [slot.starts_at for slot in slots if not slot.is_isolated]
    assert beside == [NINE_ON_TUESDAY, NINE_ON_TUESDAY + 2 * HOUR]
    with time_machine.travel(NOW, tick=False):
        page = client.get("/book/evaluation/2026-12-01/").content.decode()
    assert page.index("Easiest for us") < page.index(">11:00 AM<") < page.index(">1:00 PM<")


def test_therapist_without_a_gap_is_preferred_when_the_service_avoids_gaps(evaluation):
    evaluation.prefers_no_gaps = True
    evaluation.save()
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    book(evaluation, therapist=nora, starts_at=NINE_ON_TUESDAY + HOUR)
    assert next_free_slots(service=evaluation, limit=1, now=NOW, first_day=TUESDAY)[0].therapist == nora


def test_staff_see_every_broken_rule_and_can_still_book(evaluation, call, front_desk, meredith):
    evaluation.daily_cap = 1
    evaluation.save()
    book(evaluation)
    evaluation.listing = "hidden"
    evaluation.save()
    at_seven = NINE_ON_TUESDAY - 2 * HOUR
    broken = why_not(evaluation, at_seven, therapist=meredith, by=front_desk)
    assert broken == (NotOfferedBecause.SERVICE, NotOfferedBecause.HOURS, NotOfferedBecause.CAP)
    visit = book(evaluation, starts_at=at_seven, by=front_desk, despite_rules=EVERY_RULE, name="Bob")
    assert visit.status == "booked"
    with pytest.raises(SlotTaken):
        book(
            call,
            starts_at=NINE_ON_TUESDAY + timedelta(minutes=50),
            by=front_desk,
            despite_rules=EVERY_RULE,
            name="Carol",
        )


# Pages


@pytest.fixture
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_monday_morning")
def test_days_begin_with_the_next_free_time_and_filter_by_part_of_the_day(client, evaluation, meredith):
    give_hours(meredith, weekdays=[3], stretches=((7, 9),))
    page = client.get("/book/evaluation/").content.decode()
    assert "/book/evaluation/meredith/20261124T1400Z/hold/" in page
    early = client.get("/book/evaluation/?when=before-work").content.decode()
    assert re.findall(r'href="/book/evaluation/(2026-1[12]-\d\d)/\?when=before-work"', early)[:2] == [
        "2026-11-26",
        "2026-12-03",
    ]
    assert "2026-12-01" not in early
    lunch = client.get("/book/evaluation/2026-12-01/?when=lunch").content.decode()
    assert re.findall(r">(\d+:\d\d .M)</time>", lunch) == ["1:00 PM", "1:30 PM"]


@pytest.mark.usefixtures("_monday_morning")
def test_filter_without_results_shows_the_next_matching_time(client, evaluation, meredith):
    OpeningHours.objects.create(
        therapist=meredith, weekday=0, opens=time(18), closes=time(20), valid_from=date(2027, 1, 4)
    )
    OpeningHours.objects.filter(opens=time(13)).update(closes=time(16))
    page = " ".join(client.get("/book/evaluation/?when=after-work").content.decode().split())
    assert "after work from Mon, Nov 23 to Sun, Dec 20" in page
    assert "Monday, January 4, 2027, 6:00 PM EST" in page
    assert "/book/evaluation/2027-01-04/?when=after-work" in page


@pytest.mark.usefixtures("_monday_morning")
def test_filter_of_calls_uses_the_callers_zone(client, call):
    page = client.get("/book/call/2026-12-01/?tz=America/Los_Angeles&when=before-work").content.decode()
    times = re.findall(r">(\d+:\d\d .M)</time>", page)
    assert (times[0], times[-1]) == ("6:00 AM", "8:45 AM")


@pytest.mark.usefixtures("_monday_morning")
def test_visitor_can_choose_a_therapist_or_first_available(client, evaluation, meredith):
    assert "First available" not in client.get("/book/evaluation/").content.decode()
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    HoursOverride.objects.create(kind="closure", therapist=nora, starts_at=NOW, ends_at=NOW + timedelta(days=7))
    page = client.get("/book/evaluation/").content.decode()
    for words in ("First available", "Meredith", "Nora"):
        assert words in page
    hers = client.get("/book/evaluation/?with=nora").content.decode()
    assert "2026-11-24" not in hers
    assert "/book/evaluation/2026-12-01/?with=nora" in hers
    times = client.get("/book/evaluation/2026-12-01/?with=nora").content.decode()
    assert "/book/evaluation/nora/20261201T1400Z/hold/?with=nora" in times
    assert "/meredith/" not in times
    assert client.get("/book/evaluation/?with=stranger").status_code == 404
    assert client.get("/book/evaluation/?with=../x&when=never").status_code == 200


@pytest.mark.usefixtures("_monday_morning")
def test_in_the_admin_a_broken_rule_is_named_and_confirmed(client, evaluation, meredith, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    form = {
        "service": evaluation.pk,
        "therapist": meredith.pk,
        "name": "Bob Caller",
        "email": "bob@example.com",
        "phone": "603 555 0199",
        "mode": "in_person",
        "starts_at": "2026-12-01T07:00",
        "idempotency_key": str(uuid.uuid4()),
    }
    asked = client.post("/admin/booking/appointment/add/", form).content.decode()
    assert "outside the opening hours" in asked
    assert 'type="checkbox" name="despite_rules"' in asked
    confirmed = form | {"despite_rules": "on", "rules_shown": "hours"}
    assert client.post("/admin/booking/appointment/add/", confirmed).status_code == 303
    visit = Appointment.objects.get()
    move = f"/admin/booking/appointment/{visit.pk}/move/"
    assert move in client.get(f"/admin/booking/appointment/{visit.pk}/change/").content.decode()
    to_six = {"therapist": meredith.pk, "starts_at": "2026-12-01T06:00", "version": "1:booked"}
    assert "outside the opening hours" in client.post(move, to_six).content.decode()
    assert client.post(move, to_six | {"despite_rules": "on", "rules_shown": "hours"}).status_code == 303
    visit.refresh_from_db()
    assert visit.starts_at == NINE_ON_TUESDAY - 3 * HOUR
    act = f"/admin/booking/appointment/{visit.pk}/act/"
    client.post(act + "cancel/", {"version": "2:booked"})
    assert "Undo the cancellation" in client.get(f"/admin/booking/appointment/{visit.pk}/change/").content.decode()
    client.post(act + "undo/", {"version": "3:cancelled"})
    visit.refresh_from_db()
    assert visit.status == "booked"
    assert client.get("/admin/booking/appointment/nonsense/change/").status_code == 302


@pytest.mark.usefixtures("_monday_morning")
def test_a_federal_holiday_is_closed_by_one_click(client, evaluation, clinic, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    url = "/admin/booking/hoursoverride/holidays/"
    assert url in client.get("/admin/booking/hoursoverride/").content.decode()
    page = client.get(url).content.decode()
    assert page.count('name="on"') == 11
    assert free_slots(service=evaluation, first_day=date(2026, 11, 26), days=1, now=NOW)
    for _ in range(2):
        assert client.post(url, {"on": "2026-11-26"}).status_code == 303
    closure = HoursOverride.objects.get()
    assert (closure.note, closure.therapist) == ("Thanksgiving Day", None)
    assert closure.starts_at == datetime(2026, 11, 26, 5, tzinfo=UTC)
    assert not free_slots(service=evaluation, first_day=date(2026, 11, 26), days=1, now=NOW)
    assert client.get(url).content.decode().count('name="on"') == 10
    assert client.post(url, {"on": "2026-11-27"}).status_code == 303
    assert HoursOverride.objects.count() == 1


@pytest.mark.usefixtures("_monday_morning")
def test_a_holiday_with_visits_warns_first(client, evaluation, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    book(evaluation, starts_at=datetime(2026, 12, 25, 14, tzinfo=UTC))
    url = "/admin/booking/hoursoverride/holidays/"
    assert "Alice Runner, 9:00 AM" in client.get(url).content.decode()
    asked = client.post(url, {"on": "2026-12-25", "despite_visits": "1"}, follow=True)
    assert not HoursOverride.objects.exists()
    form = asked.context["adminform"].form
    [row] = form.in_the_way
    assert (row.visit.patient.name, row.may_ask, row.is_to_ask) == ("Alice Runner", True, True)
    sent = {name: form[name].value() or "" for name in ("kind", "therapist", "starts_at", "ends_at", "note")}
    sent |= {"despite_visits": "on", "visits_shown": row.value, "ask": row.value, "_save": "Save"}
    assert client.post(asked.wsgi_request.get_full_path(), sent).url == url
    closure = HoursOverride.objects.get()
    assert (closure.note, closure.therapist) == ("Christmas Day", None)
    assert (closure.starts_at, closure.ends_at) == (
        datetime(2026, 12, 25, 5, tzinfo=UTC),
        datetime(2026, 12, 26, 5, tzinfo=UTC),
    )
    assert Message.objects.filter(kind="booking_asked_to_move", subject_id=row.visit.pk, state="waiting").exists()
    assert "Closed" in client.get(url).content.decode()
