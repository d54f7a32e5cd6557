"""The pages of the calendar: what they show, to whom, and where their links lead."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.models import Appointment, HoursOverride
from booking.week.blocks import LEGEND, length_css
from booking.week.layout import Span
from booking.week.page import Place
from clinic.audit.models import AccessEvent
from tests.booking.waiting import wait
from tests.booking.week.filling import fill_week
from tests.factories import UserFactory
from tests.sources import ROOT
from tests.world import DAY, HOUR, NINE_ON_TUESDAY, NOW, TUESDAY, book, make_therapist

CALENDAR = "/admin/booking/appointment/calendar/"
LINK = re.compile(r'href="([^"]*)"')
CSS = "".join((ROOT / "static/css" / name).read_text() for name in ("calendar.css", "calendar-minutes.css"))


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def day(client, **query):
    return client.get(CALENDAR, {"view": "day", "day": TUESDAY.isoformat(), **query})


def links(response) -> list[str]:
    return [link.replace("&amp;", "&") for link in LINK.findall(response.text)]


def with_rights(client, *codenames):
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def test_block_shows_time_name_service_and_state_and_links_to_the_visit(client, owner, evaluation):
    visit = book(evaluation)
    page = day(client)
    for text in (
        "9:00 AM",
        "Alice Runner",
        "Evaluation",
        "booked",
        f'id="visit-{visit.pk}"',
        "at-h0 at-m0 for-h1 for-m0",
    ):
        assert text in page.text
    card = reverse("admin:booking_appointment_card", args=[visit.pk])
    assert any(link.startswith(f"{card}?next=") for link in links(page))


def test_gap_links_to_the_forms_with_its_therapist_and_clinic_time(client, owner, evaluation, meredith):
    book(evaluation)
    found = [urlsplit(link) for link in links(day(client)) if "starts_at" in link]
    queries = {(one.path, tuple(sorted((key, value) for key, [value] in parse_qs(one.query).items()))) for one in found}
    who = ("therapist", str(meredith.pk))
    assert (reverse("admin:booking_appointment_add"), (("starts_at", "2026-12-01T10:00"), who)) in queries
    [back, until] = ("back", f"{CALENDAR}?view=day&day={TUESDAY}"), ("ends_at", "2026-12-01T12:00")
    assert (
        reverse("admin:booking_hoursoverride_add"),
        (back, until, ("starts_at", "2026-12-01T10:00"), who),
    ) in queries


def test_form_to_block_a_gap_is_filled_in(client, owner, evaluation, meredith):
    [link] = [one for one in links(day(client)) if "hoursoverride/add/" in one and "T09%3A00" in one]
    form = client.get(link).context["adminform"].form
    shown = {name: form[name].value() for name in ("therapist", "starts_at", "ends_at")}
    assert shown == {"therapist": str(meredith.pk), "starts_at": "2026-12-01T09:00", "ends_at": "2026-12-01T12:00"}


def test_reading_names_is_one_line_of_the_audit_log_with_each_patient(client, owner, evaluation):
    visits = [book(evaluation), book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + HOUR)]
    entry = wait(evaluation)
    before = AccessEvent.objects.count()
    day(client)
    event = AccessEvent.objects.latest("pk")
    assert AccessEvent.objects.count() == before + 1
    assert (event.page, event.object_type) == ("admin:booking_appointment_calendar", "booking.appointment")
    assert set(event.patient_ids) == {*(visit.patient_id for visit in visits), entry.patient_id}


def test_page_without_patients_names_none_in_the_audit_log(client, owner, evaluation):
    book(evaluation)
    client.get(CALENDAR, {"view": "month", "day": "2026-12-01"})
    day(client, day="2026-12-02")
    assert not [event for event in AccessEvent.objects.filter(action="R", actor=owner) if event.patient_ids]


def test_calendar_needs_the_right_to_see_visits(client, evaluation):
    book(evaluation)
    with_rights(client, "view_patient", "view_waitlistentry", "view_hoursoverride")
    assert day(client).status_code == 403
    with_rights(client, "view_appointment")
    assert day(client).status_code == 200
    assert client.post(CALENDAR).status_code == 405


def test_names_on_the_wait_list_and_notes_need_their_own_rights(client, evaluation, meredith):
    entry = wait(evaluation)
    noon = NINE_ON_TUESDAY + 3 * HOUR
    HoursOverride.objects.create(kind="closure", starts_at=noon + HOUR, ends_at=noon + 3 * HOUR, note="Dentist of Olga")
    user = with_rights(client, "view_appointment")
    page = day(client)
    assert "1 waiting" in page.text
    assert "Walter Waiting" not in page.text and "Dentist" not in page.text and "starts_at=" not in page.text
    assert "data-move" not in page.text
    seen = AccessEvent.objects.filter(actor=user)
    assert not any(entry.patient_id in event.patient_ids for event in seen)
    with_rights(client, "view_appointment", "view_waitlistentry", "view_hoursoverride")
    page = day(client)
    assert "Walter Waiting" in page.text and "Dentist" in page.text


def test_closed_day_and_clinic_without_therapists_say_so(client, owner, clinic):
    assert "cal-empty" in client.get(CALENDAR).text
    make_therapist()
    page = day(client, day="2026-12-06")
    assert "cal-empty" not in page.text and "is-closed" in page.text


def test_links_keep_view_and_therapist_and_go_to_the_days_around(client, owner, evaluation, meredith):
    make_therapist("Nora", position=1)
    week = client.get(CALENDAR, {"view": "week", "day": "2026-12-03", "therapist": "meredith"})
    asked = week.context["asked"]
    assert asked.earlier == f"{CALENDAR}?view=week&day=2026-11-29&therapist=meredith"
    assert asked.later == f"{CALENDAR}?view=week&day=2026-12-07&therapist=meredith"
    assert asked.at_today == f"{CALENDAR}?view=week&day=2026-11-23&therapist=meredith"
    assert {asked.earlier, asked.later, asked.at_today} <= set(links(week))
    month = client.get(CALENDAR, {"view": "month", "day": "2026-12-03"}).context["asked"]
    assert (month.earlier[-10:], month.later[-10:]) == ("2026-11-30", "2027-01-01")


@pytest.mark.parametrize(
    "query",
    [
        {"view": "x"},
        {"day": "x"},
        {"day": "9999-12-31"},
        {"day": "0001-01-01", "view": "month"},
        {"day": "2026-02-30"},
        {"therapist": "unknown"},
        {"day": "2026-W01-1"},
    ],
)
def test_unknown_values_in_the_address_fall_back(client, owner, evaluation, query):
    page = client.get(CALENDAR, query)
    assert page.status_code == 200
    if "W" not in query.get("day", ""):
        assert page.context["asked"].day == NOW.date()


def test_month_counts_visits_and_no_shows_and_free_hours_by_day(client, owner, evaluation):
    book(evaluation)
    missed = book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + 2 * HOUR)
    Appointment.objects.filter(pk=missed.pk).update(status="no_show")
    weeks = client.get(CALENDAR, {"view": "month", "day": "2026-12-01"}).context["weeks"]
    days = {one.day: one for week in weeks for one in week}
    tuesday, sunday = days[TUESDAY], days[TUESDAY + 5 * DAY]
    assert (tuesday.visits, tuesday.missed, tuesday.free_hours, tuesday.is_closed) == (1, 1, 6, False)
    assert (sunday.visits, sunday.free_hours, sunday.is_closed) == (0, 0, True)
    assert all(len(week) == 7 for week in weeks) and min(days).weekday() == 0


@pytest.mark.parametrize("number", [1, 500])
@pytest.mark.parametrize("view", ["week", "day", "month"])
def test_queries_do_not_depend_on_the_number_of_visits(client, owner, clinic, number, view):
    fill_week(number)
    query = {"view": view, "day": TUESDAY.isoformat()}
    client.get(CALENDAR, query)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(CALENDAR, query)
    assert len(queries) <= 15
    if view == "week":
        assert page.text.count('class="cal-visit ') == number


def test_every_place_and_state_has_its_class_in_the_style_sheets():
    window = Span(0, 25 * 60)
    css = [Place.of(Span(minute, minute + 1), window).css for minute in range(25 * 60)]
    css += [length_css(minute) for minute in range(1, 25 * 60 + 1)]
    names = {name for classes in css for name in classes.split()} | {mark.css for mark in LEGEND}
    assert sorted(name for name in names if f".{name} " not in CSS) == []


def move(client, visit, **data):
    data = {"therapist": visit.therapist_id, "version": visit.shown, "back": f"{CALENDAR}?view=week", **data}
    return client.post(reverse("admin:booking_appointment_move", args=[visit.pk]), data)


def test_move_from_the_calendar_leads_back_to_the_visit_on_it(client, owner, evaluation):
    visit = book(evaluation)
    answer = move(client, visit, starts_at="2026-12-01T10:30")
    assert (answer.status_code, answer["Location"]) == (303, f"{CALENDAR}?view=week#visit-{visit.pk}")
    visit.refresh_from_db()
    assert visit.starts_at == NINE_ON_TUESDAY + timedelta(minutes=90)


def test_refused_move_from_the_calendar_links_back_and_moves_nothing(client, owner, evaluation):
    visit = book(evaluation)
    book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + HOUR)
    answer = move(client, visit, starts_at="2026-12-01T10:00")
    assert answer.status_code == 200 and f"{CALENDAR}?view=week" in links(answer)
    assert 'name="back"' in answer.text
    assert Appointment.objects.get(pk=visit.pk).starts_at == NINE_ON_TUESDAY


def test_move_does_not_lead_to_another_site(client, owner, evaluation):
    visit = book(evaluation)
    answer = move(client, visit, starts_at="2026-12-01T10:30", back="https://evil.example/")
    assert answer["Location"] == reverse("admin:booking_appointment_change", args=[visit.pk])
