"""Days and times typed by staff: a mistyped year is refused, and every usual way to write a time is accepted."""

import re
import uuid
from datetime import UTC, date, datetime, time

import pytest
import time_machine
from django.contrib import admin
from django.urls import reverse

from booking.models import Appointment, HoursOverride, OpeningHours
from clinic.practice.fields.typed_times import INVALID_DAY, INVALID_MOMENT, INVALID_TIME, read_time_of_day
from clinic.practice.models import Patient
from tests.world import NOW, book

FAR_DAYS = ["0001-01-01", "1970-01-01", "2032-12-10", "9999-12-31"]
REFUSED = "Please check the year."
BOOK = "/admin/booking/appointment/add/"
BLOCK = "/admin/booking/hoursoverride/add/"
HOURS = "/admin/booking/openinghours/add/"
WAIT = "/admin/booking/waitlistentry/add/"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def booking(evaluation, meredith, starts_at) -> dict:
    form = {"service": evaluation.pk, "therapist": meredith.pk, "starts_at": starts_at, "mode": "in_person"}
    form |= {"name": "Bob Caller", "email": "bob@example.com", "phone": "", "idempotency_key": str(uuid.uuid4())}
    return form


@pytest.mark.parametrize("day", FAR_DAYS)
def test_visit_is_neither_booked_nor_moved_to_a_far_year(client, owner, evaluation, meredith, day):
    visit = book(evaluation)
    move = reverse("admin:booking_appointment_move", args=[visit.pk])
    for clock in ("00:00", "23:59"):
        form = booking(evaluation, meredith, f"{day}T{clock}") | {"despite_rules": "on"}
        assert REFUSED in client.post(BOOK, form).content.decode()
        form = {"therapist": meredith.pk, "starts_at": f"{day}T{clock}", "version": visit.version}
        assert REFUSED in client.post(move, form | {"despite_rules": "on"}).content.decode()
    assert Appointment.objects.get().starts_at == visit.starts_at


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("9999-12-31T22:00", "9999-12-31T23:59"),
        ("0001-01-01T00:00", "9999-12-31T23:59"),
        ("0001-01-01T00:00", "0001-01-02T00:00"),
        ("2026-12-01T00:00", "2206-12-01T00:00"),
    ],
)
@pytest.mark.parametrize("kind", ["closure", "extra"])
def test_time_in_a_far_year_is_not_blocked(client, owner, meredith, kind, first, last):
    form = {"kind": kind, "therapist": meredith.pk, "starts_at": first, "ends_at": last}
    assert REFUSED in client.post(BLOCK, form).content.decode()
    assert not HoursOverride.objects.exists()


@pytest.mark.parametrize("day", ["0001-01-01", "2032-12-10", "9999-12-31"])
def test_hours_cannot_be_valid_from_a_far_year(client, owner, meredith, day):
    form = {"therapist": meredith.pk, "weekday": 5, "opens": "9 am", "closes": "5 pm", "mode": "bookable"}
    for field in ("valid_from", "valid_until"):
        assert REFUSED in client.post(HOURS, form | {field: day}).content.decode()
    assert not OpeningHours.objects.filter(weekday=5).exists()


@pytest.mark.parametrize("day", FAR_DAYS)
def test_wait_list_entry_is_refused_for_a_far_year(client, owner, evaluation, day):
    patient = book(evaluation).patient
    form = {"patient": patient.pk, "service": evaluation.pk, "mode": "in_person", "part_of_day": ""}
    page = client.post(WAIT, form | {"first_on": day, "last_on": day}).content.decode()
    assert page.count(REFUSED) == 2


@pytest.mark.parametrize("day", ["0001-01-01", "2027-01-01", "9999-12-31"])
def test_impossible_date_of_birth_is_refused(client, owner, evaluation, day):
    patient = book(evaluation).patient
    form = {"name": patient.name, "email": patient.email, "phone": "", "time_zone": "", "birth_on": day}
    page = client.post(reverse("admin:practice_patient_change", args=[patient.pk]), form).content.decode()
    assert REFUSED in page
    assert Patient.objects.get(pk=patient.pk).birth_on is None


@pytest.mark.parametrize("value", ["x", "\x00", "", "9" * 400, "99999999999999999999", "²"])
def test_action_with_an_impossible_key_does_not_break_the_list(client, owner, value):
    client.raise_request_exception = False
    for model, model_admin in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name in {"delete_selected", *(model_admin.actions or ())}:
            answer = client.post(address, {"action": name, "_selected_action": value, "index": "0"})
            assert answer.status_code < 500, f"{address} {name}"


def test_time_skipped_by_a_clock_change_is_refused_with_a_message(client, owner, evaluation, meredith):
    page = client.post(BOOK, booking(evaluation, meredith, "2027-03-14T02:30")).content.decode()
    assert "Mar 14, 2027" in page and "2:30 AM" in page and "3:30 AM" in page
    assert "time zone" not in page


def test_time_repeated_by_a_clock_change_is_the_first_of_the_two(client, owner, meredith):
    form = {"kind": "closure", "therapist": meredith.pk, "starts_at": "2027-11-07T01:30", "ends_at": "2027-11-07T03:00"}
    assert client.post(BLOCK, form).status_code == 302
    assert HoursOverride.objects.get().starts_at == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("9 am", time(9)),
        ("9AM", time(9)),
        ("9 a.m.", time(9)),
        ("5 pm", time(17)),
        ("5:30 PM", time(17, 30)),
        ("12 am", time(0)),
        ("12 pm", time(12)),
        ("noon", time(12)),
        ("Midnight", time(0)),
        ("24:00", time(0)),
        ("17:30", time(17, 30)),
        ("08:00:00", time(8)),
        ("08:30:59", time(8, 30, 59)),
        ("0930", time(9, 30)),
        ("9", None),
        ("13 pm", None),
        ("25:00", None),
        ("9:60", None),
        ("soon", None),
        ("²:00", None),
    ],
)
def test_time_of_day_is_read_in_every_usual_way(typed, read):
    assert read_time_of_day(typed) == read


def test_hours_are_typed_and_shown_in_the_12_hour_format(client, owner, meredith):
    form = {"therapist": meredith.pk, "weekday": 5, "opens": "9 am", "closes": "midnight", "mode": "bookable"}
    assert client.post(HOURS, form).status_code == 302
    row = OpeningHours.objects.get(weekday=5)
    assert (row.opens, row.closes) == (time(9), time(0))
    assert 'value="9:00 AM"' in client.get(reverse("admin:booking_openinghours_change", args=[row.pk])).content.decode()
    shown = client.get("/admin/booking/openinghours/").content.decode()
    assert "9:00 AM" in shown and "midnight" in shown
    wrong = client.post(HOURS, form | {"opens": "soon"}).content.decode()
    assert INVALID_TIME in wrong and 'value="soon"' in wrong


@pytest.mark.parametrize("typed", ["12/01/2026", "12/1/26", "2026-12-01", "Dec 1, 2026"])
def test_day_is_read_in_every_usual_way_and_shown_as_in_the_us(client, owner, meredith, typed):
    form = {"therapist": meredith.pk, "weekday": 5, "opens": "9 am", "closes": "noon", "mode": "bookable"}
    assert client.post(HOURS, form | {"valid_from": typed}).status_code == 302
    row = OpeningHours.objects.get(weekday=5)
    assert row.valid_from == date(2026, 12, 1)
    page = client.get(reverse("admin:booking_openinghours_change", args=[row.pk])).content.decode()
    assert 'value="12/01/2026"' in page


def test_quiet_hours_are_shown_in_the_12_hour_format(client, owner, evaluation):
    page = client.get("/admin/practice/clinic/1/change/").content.decode()
    assert 'value="9:00 PM"' in page and 'value="8:00 AM"' in page


def test_visit_in_the_past_needs_a_confirmation_each_time(client, owner, evaluation, meredith):
    form = booking(evaluation, meredith, "2026-11-20T09:00") | {"despite_rules": "on", "rules_shown": "notice"}
    asked = client.post(BOOK, form).content.decode()
    assert "Fri, Nov 20, 9:00 AM" in asked
    past_asked = re.search(r'name="past_asked" value="([^"]+)"', asked)[1]
    assert not re.search(r'name="despite_rules"[^>]* checked', asked)
    other = client.post(BOOK, form | {"starts_at": "2026-11-19T09:00", "past_asked": past_asked}).content.decode()
    assert "Thu, Nov 19, 9:00 AM" in other
    assert not Appointment.objects.exists()
    assert client.post(BOOK, form | {"past_asked": past_asked}).status_code == 303
    assert Appointment.objects.get().starts_at == datetime(2026, 11, 20, 14, tzinfo=UTC)


@pytest.mark.parametrize("day", ["2025-12-01", "2026-10-20"])
def test_visit_cannot_be_booked_or_moved_long_into_the_past(client, owner, evaluation, meredith, day):
    form = booking(evaluation, meredith, f"{day}T09:00") | {"despite_rules": "on"}
    assert client.post(BOOK, form).context["form"].errors.keys() == {"starts_at"}
    visit = book(evaluation)
    form = {"therapist": meredith.pk, "starts_at": f"{day}T09:00", "version": visit.version, "despite_rules": "on"}
    page = client.post(reverse("admin:booking_appointment_move", args=[visit.pk]), form)
    assert page.context["form"].errors.keys() == {"starts_at"}


def test_search_for_a_patient_says_how_many_it_does_not_show(client, owner, evaluation, meredith):
    for number in range(13):
        Patient.objects.create(name=f"Maya {'abcdefghijklm'[number]}", phone=f"+1603555{1000 + number}", created_at=NOW)
    look_up = {"look_up": "1", "find": "maya"}
    page = client.post(BOOK, look_up).content.decode()
    assert "The first 10 of 13" in page
    assert "The first" not in client.post(BOOK, look_up | {"find": "maya c"}).content.decode()


@pytest.mark.parametrize(
    ("url", "field", "error"),
    [
        (HOURS, "valid_from", INVALID_DAY),
        (WAIT, "first_on", INVALID_DAY),
        ("/admin/practice/patient/add/", "birth_on", INVALID_DAY),
        ("/admin/education/article/add/", "reviewed_on", INVALID_DAY),
        (BLOCK, "starts_at", INVALID_MOMENT),
        (BOOK, "starts_at", INVALID_MOMENT),
    ],
)
def test_a_mistyped_day_is_answered_with_an_example(client, owner, evaluation, url, field, error):
    context = client.post(url, {field: "the 24th", "kind": "closure"}).context
    form = context["form"] if "form" in context else context["adminform"].form
    assert form.errors[field] == [error]
