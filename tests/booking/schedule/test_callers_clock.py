"""Every page and message shows the time of a call in the caller's zone, with the clinic's time below."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from booking.actions.change import move_appointment
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.names import BOOKED, MOVED
from booking.messages.visit_mail import email_context, find_visit_kind
from booking.models import Appointment
from booking.schedule.visit_links import visit_path
from booking.wait_list.entries import Wishes, unexpired_entries
from clinic.practice.models import Proof
from tests.booking.waiting import wait
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db
KOLKATA = "Asia/Kolkata"
THEIRS, OURS = "Tuesday, December 1, 7:30 PM IST", "9:00 AM EST at the clinic"
PAGES = ["", "coming/", "cancel/", "not-coming/", "earlier/"]


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def path_of(visit, page=""):
    return visit_path(visit, proof=Proof.MAILED, now=NOW) + page


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_the_callers_clock_first_when_it_differs(client, call, page):
    shown = text_of(client.get(path_of(book(call, time_zone=KOLKATA), page)))
    assert f"{THEIRS} {OURS}" in shown
    assert "where you are" not in shown


@pytest.mark.parametrize("page", PAGES)
def test_page_shows_the_clinics_clock_when_the_visit_is_in_person(client, evaluation, page):
    shown = text_of(client.get(path_of(book(evaluation, time_zone=KOLKATA), page)))
    assert "Tuesday, December 1, 9:00 AM EST" in shown
    assert "IST" not in shown and "at the clinic" not in shown


def test_move_page_shows_both_times_by_the_callers_clock(client, call):
    visit = book(call, time_zone=KOLKATA)
    shown = text_of(client.get(path_of(visit, "move/20261201T1500Z/")))
    assert f"From {THEIRS} {OURS}" in shown
    assert "To Tuesday, December 1, 8:30 PM IST 10:00 AM EST at the clinic" in shown


def test_stale_page_shows_the_callers_clock(client, call):
    visit = book(call, time_zone=KOLKATA)
    answer = client.post(path_of(visit, "cancel/"), {"version": visit.version + 1})
    assert answer.status_code == 409
    assert f"It is now on {THEIRS} ({OURS})" in text_of(answer)


def test_too_late_page_names_the_deadline_by_the_callers_clock(client, call):
    visit = book(call, starts_at=NINE_ON_TUESDAY + timedelta(days=3), time_zone=KOLKATA)
    assert "until Thursday, December 3, 7:30 PM IST" in text_of(client.get(path_of(visit)))


@pytest.mark.parametrize("kind", [BOOKED, MOVED, REMINDER_2H])
def test_message_shows_the_same_clock_as_the_page(call, clinic, kind):
    visit = book(call, time_zone=KOLKATA)
    values = email_context(visit, find_visit_kind(kind), clinic=clinic, now=NOW)
    assert (str(values["when"]), values["when_beside"]) == (THEIRS, OURS)
    assert (values["day"], values["time"]) == ("Tuesday, December 1", "7:30 PM IST")


def test_move_is_emailed_in_the_callers_zone(client, call):
    visit = book(call, time_zone=KOLKATA)
    moved = move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + timedelta(hours=1), now=NOW)
    shown = text_of(client.get(path_of(Appointment.objects.get(pk=moved.pk))))
    assert f"Moved from {THEIRS} to Tuesday, December 1, 8:30 PM IST" in shown


def test_clocks_are_compared_on_the_day_of_the_visit(client, clinic, call):
    call.horizon_days = 150
    call.save()
    summer = datetime(2027, 3, 16, 9, tzinfo=ZoneInfo("America/New_York"))
    winter = book(call, time_zone="America/Jamaica")
    assert "at the clinic" not in text_of(client.get(path_of(winter)))
    visit = book(call, starts_at=summer, name="Bob Walker", time_zone="America/Jamaica")
    assert "8:00 AM EST 9:00 AM EDT at the clinic" in text_of(client.get(path_of(visit)))


def test_days_of_a_wait_list_entry_end_in_the_callers_zone(client, call, front_desk):
    front_desk.is_superuser = True
    front_desk.save()
    day = NOW.date()
    entry = wait(call, wishes=Wishes(day, day, "", "Pacific/Honolulu"))
    page = reverse("admin:booking_waitlistentry_change", args=[entry.pk])
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo("America/New_York"))
    with time_machine.travel(midnight + timedelta(hours=4), tick=False):
        client.force_login(front_desk)
        assert "days are over" not in text_of(client.get(page))
        assert unexpired_entries(now=timezone.now()).exists()
    with time_machine.travel(midnight + timedelta(hours=6), tick=False):
        client.force_login(front_desk)
        assert "days are over" in text_of(client.get(page))
