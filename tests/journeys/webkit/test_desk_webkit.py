"""The front desk in WebKit: booking for someone on the phone, blocking time, and a visit's marks."""

import pytest

from booking.models import Appointment, HoursOverride
from clinic.demo import login
from clinic.outbox.models import Message
from clinic.practice.people.patients import find_or_register_patient
from tests.world import NINE_ON_TUESDAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
SIZES = pytest.mark.parametrize("width", [1280, 390])


@pytest.fixture
def desk(day, open_webkit, width):
    find_or_register_patient(
        name="Ruth Hadley", email="ruth@runners.example", phone="+16035550117", now=NINE_ON_TUESDAY
    )
    desk = open_webkit(width=width)
    desk.log_in(email=login.FRONT_DESK_EMAIL)
    return desk


def book_for_ruth(desk):
    """From the open form: find Ruth, choose her and book."""
    desk.fill("#id_find", "hadley")
    desk.follow(desk.named("Look up", "form"))
    desk.named("Ruth Hadley", "form").click()
    desk.follow(desk.named("Book this visit"))
    if desk.count("[name=confirm]"):
        desk.named("Do it anyway").click()
        desk.follow(desk.named("Book this visit"))
    assert desk.one(".messagelist .success").text


@SIZES
def test_caller_is_booked_from_a_gap_of_the_calendar(desk):
    desk.open("/admin/booking/appointment/calendar/?view=day&day=2026-12-01")
    desk.follow(desk.named("Book", ".cal-gap"))
    desk.choose("#id_service", "Evaluation")
    desk.follow(desk.named("", "#fitting"))
    book_for_ruth(desk)
    visit = Appointment.objects.latest("created_at")
    assert (visit.patient.name, visit.starts_at.date()) == ("Ruth Hadley", NINE_ON_TUESDAY.date())


@SIZES
def test_caller_is_booked_by_find_a_time(desk):
    desk.follow(desk.named("Find a time"))
    desk.choose("#id_service", "Evaluation")
    desk.follow(desk.named("Find times"))
    desk.follow(desk.one("a.time:not(.is-marked)"))
    book_for_ruth(desk)
    assert Appointment.objects.latest("created_at").patient.name == "Ruth Hadley"


@pytest.mark.parametrize("width", [1280])
def test_time_is_blocked_over_a_visit_whose_patient_is_offered_other_times(desk, day):
    visit = day["Sam Whitcomb"]
    desk.open(f"/admin/booking/hoursoverride/add/?therapist={visit.therapist_id}")
    desk.pick_date("#id_starts_at", "2026-12-01T13:00")
    desk.pick_date("#id_ends_at", "2026-12-01T17:00")
    desk.follow(desk.one("[name=_save]"))
    assert desk.one(".in-the-way [name=ask]").is_selected()
    desk.named("Block it anyway").click()
    desk.follow(desk.one("[name=_save]"))
    assert HoursOverride.objects.filter(therapist=visit.therapist).exists()
    assert Message.objects.filter(kind="booking_asked_to_move", subject_id=visit.pk).count() == 1


@SIZES
def test_marks_of_the_card_are_one_press_each_with_an_undo(desk, day):
    visit = day["Tom Reyes"]
    desk.open(f"/admin/booking/appointment/{visit.pk}/card/")
    desk.execute_script("window.stays = true")
    card = f"#visit-{visit.pk}"
    for press, undo in (("Arrived", "Undo arrival"), ("With ", "Undo “with"), ("Done", "Undo “done”")):
        desk.named(press, card).click()
        desk.named(undo, card)
    marked = Appointment.objects.get(pk=visit.pk)
    assert marked.marks.arrived_at and marked.finished_at
    desk.named("Undo “done”", card).click()
    desk.named("Done", card)
    assert Appointment.objects.get(pk=visit.pk).finished_at is None
    assert desk.execute_script("return window.stays && document.activeElement.id") == card[1:], "swapped in place"
