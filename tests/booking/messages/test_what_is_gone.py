"""A withdrawn mode, service or therapist: booked visits can be moved, and waiting patients are asked to call."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission

from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.actions.offers import take_offer
from booking.message_kinds.wait_list.stuck import NO_LONGER_STUCK
from booking.messages.names import WAIT_STUCK
from booking.models import MODES, Appointment, SlotOffer, WaitListEntry
from booking.presenters.visit import waiting_entry
from booking.schedule.errors import SlotNotOffered
from booking.schedule.visit_links import visit_path
from booking.tasks import look_for_stuck_waits
from booking.wait_list.entries import entry_path, leave_wait_list
from booking.wait_list.stuck_entries import TOLD_AFTER, tell_stuck_patients
from clinic.celery import app
from clinic.outbox.messages.kinds import find_kind
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, User
from clinic.practice.people.patients import accept_patient
from tests.booking.visitors import press
from tests.booking.waiting import FREED_AT, book_later, message_about, wait, wait_with
from tests.clinic.letters import fate, render_message, sweep
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT_ELEVEN = NINE_ON_TUESDAY + 2 * HOUR


def offer_by_video_only(service):
    service.offered_modes = ["video"]
    service.save()


def text_of(response):
    return " ".join(response.content.decode().split())


# Visits in a withdrawn mode


def test_visit_keeps_its_mode_when_moved_after_the_mode_was_withdrawn(client, evaluation):
    visit = book(evaluation)
    offer_by_video_only(evaluation)
    path = visit_path(visit, now=NOW)
    with time_machine.travel(NOW, tick=False):
        times = client.get(path + "move/2026-12-01/").content.decode()
        target = path + "move/20261201T1600Z/"
        assert target in times
        assert press(client, target).status_code == 303
    visit.refresh_from_db()
    assert (visit.starts_at, visit.mode) == (AT_ELEVEN, "in_person")


def test_new_visit_is_refused_in_a_withdrawn_mode(evaluation):
    offer_by_video_only(evaluation)
    with pytest.raises(SlotNotOffered):
        book(evaluation, mode="in_person")
    held = book(evaluation, mode="video")
    assert move_appointment(appointment=held, starts_at=AT_ELEVEN, now=NOW).mode == "video"


def test_earlier_time_is_offered_in_the_mode_of_the_visit(evaluation):
    visit, later = book(evaluation), book_later(evaluation)
    wait_with(later)
    offer_by_video_only(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    mail = render_message(message_about(offer), now=NOW + FREED_AT)
    assert Clinic.objects.current().street in mail.text
    taken = take_offer(offer=offer, now=NOW + FREED_AT)
    assert (taken.pk, taken.starts_at, taken.mode) == (later.pk, NINE_ON_TUESDAY, "in_person")


def test_move_page_says_to_call_when_the_service_is_no_longer_booked_online(client, evaluation):
    visit = book(evaluation)
    evaluation.listing = "call_us"
    evaluation.save()
    path = visit_path(visit, now=NOW)
    with time_machine.travel(NOW, tick=False):
        for address in ("move/", "move/2026-12-01/", "earlier/"):
            page = client.get(path + address)
            assert page.status_code == 409
            assert "Please call us" in text_of(page) and "(603) 555-0123" in text_of(page)
        assert press(client, path + "move/20261201T1600Z/").status_code == 409


def test_move_page_shows_the_times_of_other_therapists_when_the_therapist_has_left(client, evaluation, meredith):
    evaluation.therapists.add(make_therapist("Nora", position=1))
    visit = book(evaluation, therapist=meredith)
    meredith.is_active = False
    meredith.save()
    with time_machine.travel(NOW, tick=False):
        page = client.get(visit_path(visit, now=NOW) + "move/").content.decode()
    assert "move/2026-12-01/?with=anybody" in page


# Waiting for a withdrawn mode


def test_wait_list_entry_for_a_withdrawn_mode_is_offered_the_remaining_mode(client, evaluation):
    visit, entry = book(evaluation), wait(evaluation)
    offer_by_video_only(evaluation)
    cancel_appointment(appointment=visit, now=NOW)
    offer = SlotOffer.objects.get()
    message = message_about(offer)
    assert find_kind("booking_offer").relevance(message, NOW + FREED_AT) is None
    assert MODES["video"].place in render_message(message, now=NOW + FREED_AT).text
    path = entry_path(entry, clinic=Clinic.objects.current(), now=NOW)
    with time_machine.travel(NOW, tick=False):
        assert client.get(path).context["entry"].offered_mode == MODES["video"]
    assert take_offer(offer=offer, now=NOW + FREED_AT).mode == "video"


# Waiting for a withdrawn service or therapist


def hide(service, meredith):
    service.listing = "hidden"
    service.save()


def take_therapists_off(service, meredith):
    service.therapists.clear()


def let_go(service, meredith):
    service.therapists.add(make_therapist("Nora", position=1))
    meredith.is_active = False
    meredith.save()


WAYS = [
    (hide, "no longer booked online"),
    (take_therapists_off, "no longer offers this"),
    (let_go, "no longer offers this"),
]


@pytest.mark.parametrize(("act", "why"), WAYS, ids=["hidden", "no therapist", "therapist left"])
def test_stuck_wait_list_patient_is_told_once_and_listed_for_staff(
    client, evaluation, meredith, clinic, post_office, act, why
):
    entry = wait(evaluation, therapist=meredith)
    sweep(now=NOW)
    assert tell_stuck_patients(now=NOW) == 0
    act(evaluation, meredith)
    assert tell_stuck_patients(now=NOW) == 1
    assert tell_stuck_patients(now=NOW + HOUR) == 0
    sweep(now=NOW + TOLD_AFTER)
    mail = post_office.mails[-1]
    text = mail.get_body(("plain",)).get_content()
    assert "Please call (603) 555-0123" in text and "/waiting/" in text
    assert "Evaluation" not in text and "Meredith" not in text and "Walter" not in text
    with time_machine.travel(NOW, tick=False):
        assert client.get(entry_path(entry, clinic=clinic, now=NOW)).context["is_stuck"]
        client.force_login(User.objects.create_superuser("frank@clinic.example", name="Frank"))
        assert "person is waiting" in text_of(client.get("/admin/"))
        assert "to offer: call" in text_of(client.get("/admin/booking/waitlistentry/?stuck=1"))
        assert why in text_of(client.get(f"/admin/booking/waitlistentry/{entry.pk}/change/"))


def test_stuck_mail_is_skipped_when_the_service_is_bookable_again(evaluation, meredith, post_office):
    wait(evaluation)
    hide(evaluation, meredith)
    tell_stuck_patients(now=NOW)
    evaluation.listing = "bookable"
    evaluation.save()
    sweep(now=NOW + TOLD_AFTER)
    message = Message.objects.get(kind=WAIT_STUCK)
    assert fate(message) == ("skipped", NO_LONGER_STUCK)
    hide(evaluation, meredith)
    assert tell_stuck_patients(now=NOW + DAY) == 1  # stuck again, so the patient is notified again


def test_patients_who_are_not_stuck_are_not_told(evaluation, call, meredith, clinic):
    left, cancelled, over = wait(evaluation, name="Lea Left"), book_later(evaluation, "Carl Cancelled"), None
    leave_wait_list(entry=left, now=NOW)
    wait_with(cancelled)
    cancel_appointment(appointment=cancelled, now=NOW)
    over = wait(evaluation, name="Otto Over")
    WaitListEntry.objects.filter(pk=over.pk).update(first_on=NOW.date() - 2 * DAY, last_on=NOW.date() - DAY)
    wait(call, name="Fay Fine")
    hide(evaluation, meredith)
    assert tell_stuck_patients(now=NOW + HOUR) == 0


def test_stuck_patients_are_hidden_from_staff_without_the_right(client, evaluation, meredith):
    wait(evaluation)
    hide(evaluation, meredith)
    user = User.objects.create_user("nina@clinic.example", name="Nina")
    user.user_permissions.set(Permission.objects.filter(codename="view_article"))
    client.force_login(user)
    with time_machine.travel(NOW, tick=False):
        assert "waiting for a service" not in text_of(client.get("/admin/"))


def test_check_for_stuck_patients_runs_every_hour():
    entries = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}
    assert entries[look_for_stuck_waits.name] == 3600


# Joining again


def entries_of(name):
    rows = WaitListEntry.objects.filter(patient__name=name).order_by("created_at")
    return [(row.status, row.appointment_id) for row in rows]


def is_offered(name, service):
    freed = book(service, name="Freda Frees")
    cancel_appointment(appointment=freed, now=NOW + HOUR)
    return SlotOffer.objects.filter(entry__patient__name=name).count() == 1


def test_joining_again_by_the_form_after_a_cancellation_is_served(evaluation):
    visit = book_later(evaluation)
    wait_with(visit)
    cancel_appointment(appointment=visit, now=NOW)
    again = wait(evaluation, now=NOW + HOUR)
    assert entries_of("Walter Waiting") == [
        ("waiting", visit.pk),
        ("waiting", None),
    ]  # a stranger could have typed his name
    assert accept_patient(again.patient, now=NOW + HOUR) == visit.patient
    assert entries_of("Walter Waiting") == [("left", visit.pk), ("waiting", None)]
    assert is_offered("Walter Waiting", evaluation)


def test_provisional_patient_who_joins_again_is_served(evaluation):
    visit = book_later(evaluation, is_known=False)
    wait_with(visit)
    cancel_appointment(appointment=visit, now=NOW)
    wait(evaluation, now=NOW + HOUR)
    assert entries_of("Walter Waiting") == [("left", visit.pk), ("waiting", None)]
    assert is_offered("Walter Waiting", evaluation)


def test_joining_again_from_a_new_visit_after_a_cancellation_is_served(client, evaluation):
    visit = book_later(evaluation)
    wait_with(visit)
    cancel_appointment(appointment=visit, now=NOW)
    again = book_later(evaluation, days=8)
    path = visit_path(again, now=NOW)
    with time_machine.travel(NOW + HOUR, tick=False):
        assert waiting_entry(again, now=NOW + HOUR) is None
        assert client.get(path + "earlier/").context["entry"] is None
        days = {"part_of_day": "", "first_on": "2026-11-24", "last_on": "2026-12-08"}
        assert client.post(path + "earlier/", days).status_code == 303
    assert entries_of("Walter Waiting") == [("left", visit.pk), ("waiting", again.pk)]
    assert is_offered("Walter Waiting", evaluation)


@pytest.mark.parametrize("ended", ["completed", "no_show", "booked"])
def test_joining_again_after_the_visit_ended_is_served(evaluation, ended):
    visit = book_later(evaluation)
    entry = wait_with(visit)
    Appointment.objects.filter(pk=visit.pk).update(
        status=ended,
        arrived_at=NOW - DAY if ended == "completed" else None,
        starts_at=NOW - DAY,
        ends_at=NOW - DAY + HOUR,
        blocked=(NOW - DAY, NOW - DAY + HOUR),
    )
    accept_patient(wait(evaluation, now=NOW + HOUR).patient, now=NOW + HOUR)
    entry.refresh_from_db()
    assert entry.status == "left"
    assert is_offered("Walter Waiting", evaluation)


def test_joining_again_after_the_chosen_days_is_served(evaluation):
    entry = wait(evaluation)
    WaitListEntry.objects.filter(pk=entry.pk).update(first_on=NOW.date() - 9 * DAY, last_on=NOW.date() - DAY)
    wait(evaluation, now=NOW + HOUR)
    assert [status for status, _ in entries_of("Walter Waiting")] == ["left", "waiting"]
    assert is_offered("Walter Waiting", evaluation)


def test_undoing_the_cancellation_keeps_the_place_on_the_list(evaluation):
    visit = book_later(evaluation)
    wait_with(visit)
    cancel_appointment(appointment=visit, now=NOW)
    undo_cancellation(appointment=visit, now=NOW + FREED_AT / 2)
    assert entries_of("Walter Waiting") == [("waiting", visit.pk)]
    assert is_offered("Walter Waiting", evaluation)


def test_stranger_who_joins_with_a_patients_name_does_not_change_a_waiting_entry(evaluation):
    entry = wait(evaluation)
    wait(evaluation, therapist=make_therapist("Nora", position=1), now=NOW + HOUR)
    assert WaitListEntry.objects.get() == entry
    assert WaitListEntry.objects.get().therapist is None


def test_staff_add_a_patient_again_whose_entry_can_no_longer_be_served(client, evaluation):
    visit = book_later(evaluation)
    wait_with(visit)
    cancel_appointment(appointment=visit, now=NOW)
    client.force_login(User.objects.create_superuser("frank@clinic.example", name="Frank"))
    form = {"patient": visit.patient_id, "service": evaluation.pk, "mode": "in_person", "part_of_day": ""}
    with time_machine.travel(NOW + HOUR, tick=False):
        days = {"first_on": "2026-11-24", "last_on": "2026-12-08"}
        assert client.post("/admin/booking/waitlistentry/add/", form | days).status_code == 302
        again = client.post("/admin/booking/waitlistentry/add/", form | days)
        assert again.status_code == 200 and again.context["errors"]
    assert entries_of("Walter Waiting") == [("left", visit.pk), ("waiting", None)]
