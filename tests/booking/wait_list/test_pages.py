"""The wait list pages without JavaScript: joining, changing, leaving, taking an offer, and refusals."""

import re
from collections import Counter
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.actions.change import cancel_appointment, move_appointment
from booking.actions.offers import offer_url
from booking.models import Appointment, SlotOffer, WaitListEntry
from booking.schedule.visit_links import visit_path
from booking.wait_list.entries import entry_path, leave_wait_list
from clinic.outbox.models import Message
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Patient, Proof
from tests.booking.waiting import book_later, wait, wait_with
from tests.pages import text_of
from tests.world import NINE_ON_TUESDAY, NOW, book

JOIN = "/book/evaluation/wait/"
WISHES = {"part_of_day": "after-work", "first_on": "2026-11-24", "last_on": "2026-12-24"}
TYPED = {
    **WISHES,
    "name": "Walter Waiting",
    "email": "walter@example.com",
    "phone": "603 555 0188",
    "mode": "in_person",
}


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def offer(evaluation):
    """An offer to Walter, who has a visit a week later."""
    visit = book(evaluation)
    wait_with(book_later(evaluation))
    cancel_appointment(appointment=visit, now=NOW)
    return SlotOffer.objects.select_related("entry__patient").get()


def path_of(offer):
    return urlsplit(offer_url(offer, now=NOW)).path


# Joining from the list of days


def test_pages_of_days_and_times_link_to_the_wait_list_unless_the_day_is_over(client, evaluation, meredith):
    days = client.get("/book/evaluation/?when=before-work&with=meredith").content.decode()
    assert f"{JOIN}?when=before-work&amp;with=meredith" in days
    assert JOIN in client.get("/book/evaluation/2026-12-01/?when=before-work").content.decode()
    assert JOIN in client.get("/book/evaluation/").content.decode()
    assert JOIN not in client.get("/book/evaluation/2026-11-01/").content.decode()


def test_joining_stores_the_wish_and_only_the_email_links_to_it(client, evaluation):
    response = client.post(JOIN + "?with=meredith", TYPED)
    assert (response.status_code, response["Location"]) == (303, f"{JOIN}joined/")
    page = client.get(response["Location"])
    assert page.status_code == 200 and "Walter" not in text_of(page)
    assert "/waiting/" not in page.content.decode()
    entry = WaitListEntry.objects.get()
    assert (entry.patient.name, entry.patient.phone, entry.therapist.slug) == (
        "Walter Waiting",
        "+16035550188",
        "meredith",
    )
    assert (entry.first_on, entry.last_on, entry.part_of_day) == (date(2026, 11, 24), date(2026, 12, 24), "after-work")


def test_stranger_who_types_a_patients_name_reveals_and_changes_nothing(client, evaluation):
    wait_with(book_later(evaluation))
    before = WaitListEntry.objects.values().get()
    answers = [
        client.post(JOIN, TYPED | {"name": name, "part_of_day": ""}) for name in ("Walter Waiting", "Nobody Known")
    ]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(303, f"{JOIN}joined/")}
    assert WaitListEntry.objects.filter(patient__name="Walter Waiting").values().get() == before
    assert Message.objects.filter(kind="booking_on_wait_list").count() == 2


def test_joining_sends_mail_and_runs_the_same_queries_for_known_and_unknown_names(client, evaluation):
    book_later(evaluation)
    asked = {}
    for name in ("Walter Waiting", "Nobody Known"):
        with CaptureQueriesContext(connection) as queries:
            assert client.post(JOIN, TYPED | {"name": name}).status_code == 303
        shapes = [re.sub(r"'[^']*'(::\w+)?|\d+", "?", query["sql"]) for query in queries]
        asked[name] = Counter(shape for shape in shapes if "outbox_" in shape)
    assert asked["Walter Waiting"] == asked["Nobody Known"] != Counter()
    told = Message.objects.filter(kind="booking_on_wait_list").values_list("patient__name", flat=True)
    assert sorted(told) == ["Nobody Known", "Walter Waiting"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"phone": "12"}, "phone"),
        ({"first_on": ""}, "first_on"),
        ({"last_on": "soon"}, "last_on"),
        ({"last_on": "2026-11-23", "first_on": "2026-11-24"}, "last_on"),
        ({"last_on": "2026-11-01", "first_on": "2026-10-01"}, "last_on"),
        ({"last_on": "2028-01-01"}, "last_on"),
        ({"part_of_day": "midnight"}, "part_of_day"),
    ],
)
def test_invalid_form_shows_its_errors_and_keeps_the_typed_values(client, evaluation, changes, field):
    page = client.post(JOIN, TYPED | changes)
    assert page.status_code == 422
    assert page.context["form"].errors.keys() == {field}
    assert "walter@example.com" in page.content.decode()
    assert not WaitListEntry.objects.exists()


def test_joining_by_a_script_is_rate_limited(client, evaluation, clinic):
    clinic.bookings_a_day_per_network = 2
    clinic.save()
    answers = [client.post(JOIN, TYPED | {"name": f"Bot {number}"}).status_code for number in range(3)]
    assert answers == [303, 303, 429]
    assert not Patient.objects.filter(name="Bot 2").exists()
    with time_machine.travel(NOW + timedelta(days=1, minutes=1), tick=False):
        assert client.post(JOIN, TYPED).status_code == 303


def test_joining_is_a_404_for_an_unknown_therapist_or_a_service_not_booked_online(client, evaluation):
    assert client.get("/book/nothing/wait/").status_code == 404
    assert client.get(JOIN + "?with=somebody-else").status_code == 404
    evaluation.listing = "call_us"
    evaluation.save()
    assert client.get(JOIN).status_code == 404


# From a visit


def test_wish_for_an_earlier_time_is_added_changed_and_removed_from_a_visits_page(client, evaluation):
    visit = book_later(evaluation)
    path = visit_path(visit, proof=Proof.MAILED, now=NOW)
    assert not client.get(path).context["is_on_wait_list"]
    page = client.get(path + "earlier/").content.decode()
    assert 'value="2026-12-08"' in page  # the day of the visit
    assert not WaitListEntry.objects.exists()
    assert client.post(path + "earlier/", WISHES | {"last_on": "2026-12-07"}).status_code == 303
    entry = WaitListEntry.objects.get()
    assert (entry.patient, entry.appointment, entry.mode) == (visit.patient, visit, "in_person")
    assert client.get(path).context["is_on_wait_list"]
    page = client.get(path + "earlier/").content.decode()
    assert 'value="2026-12-07"' in page and "Leave the wait list" in page
    client.post(path + "earlier/", {"leave": "1"})
    entry.refresh_from_db()
    assert entry.status == "left"
    assert not client.get(path).context["is_on_wait_list"]


def test_a_day_after_the_visit_is_not_earlier(client, evaluation):
    path = visit_path(book_later(evaluation), now=NOW) + "earlier/"
    page = client.post(path, WISHES)
    assert page.status_code == 422 and page.context["form"].errors.keys() == {"last_on"}


def test_joining_from_a_visit_past_the_deadline_says_to_call(client, evaluation):
    path = visit_path(book(evaluation), now=NOW) + "earlier/"
    with time_machine.travel(NINE_ON_TUESDAY - timedelta(hours=2), tick=False):
        page = client.post(path, WISHES)
    assert page.status_code == 409 and "Please call us" in text_of(page)
    assert not WaitListEntry.objects.exists()


# Leaving


def test_opening_the_link_asks_and_the_button_leaves(client, evaluation, clinic):
    entry = wait(evaluation)
    path = entry_path(entry, clinic=clinic, now=NOW)
    assert "Leave the wait list" in text_of(client.get(path + "leave/"))
    entry.refresh_from_db()
    assert entry.status == "waiting"
    assert client.post(path).status_code == 405
    assert client.post(path + "leave/")["Location"] == path
    assert not client.get(path).context["is_waiting"]


def test_email_app_can_unsubscribe_in_one_click_without_a_cookie(evaluation, clinic):
    entry = wait(evaluation)
    path = entry_path(entry, clinic=clinic, now=NOW) + "leave/"
    response = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 204
    entry.refresh_from_db()
    assert entry.status == "left"


# Saying yes


def test_acceptance_asks_again_when_the_later_visit_was_moved_meanwhile(client, offer):
    path = path_of(offer)
    assert 'name="version" value="1"' in client.get(path).content.decode()
    later = Appointment.objects.get(patient=offer.entry.patient)
    move_appointment(appointment=later, starts_at=NINE_ON_TUESDAY + timedelta(days=8), now=NOW)
    asked = client.post(path, {"version": "1"})
    assert asked.status_code == 409
    assert asked.context["is_stale"] and "Wednesday, December 9" in text_of(asked)
    offer.refresh_from_db()
    assert offer.taken_at is None
    assert client.post(path, {"version": "2"}).status_code == 303


def test_opening_an_offer_changes_nothing_and_its_button_moves_the_visit(client, offer):
    path = path_of(offer)
    page = text_of(client.get(path))
    assert "Tuesday, December 1, 9:00 AM EST" in page
    assert "Tuesday, December 8, 9:00 AM EST" in page
    offer.refresh_from_db()
    assert offer.taken_at is None
    response = client.post(path, {"version": "1"})
    assert response.status_code == 303
    visit = client.get(response["Location"])
    assert visit.context["time"].instant == offer.starts_at and visit.context["move_text"]
    assert not visit.context["can_undo_move"]  # the move ended the wait list entry
    again = client.post(path)
    assert again.status_code == 303
    assert client.get(path).context["is_theirs"]
    assert Appointment.objects.filter(status="booked").count() == 1


def test_offer_page_says_when_the_time_is_gone_and_keeps_the_entry(client, evaluation, offer):
    path = path_of(offer)
    book(evaluation, name="Faster Runner")
    page = client.get(path)
    assert page.status_code == 410
    assert page.context["is_gone"] and page.context["is_waiting"]
    late = client.post(path)
    assert late.status_code == 409
    assert late.context["is_waiting"] and "faster runner" not in text_of(late).lower()
    assert offer.entry.patient.appointments.get(status="booked").starts_at == NINE_ON_TUESDAY + timedelta(days=7)


def test_offer_page_of_a_patient_who_left_does_not_say_they_stay_on_the_list(client, offer):
    leave_wait_list(entry=offer.entry, now=NOW)
    page = client.get(path_of(offer))
    assert page.status_code == 410 and not page.context["is_waiting"]


def test_link_opens_only_the_page_of_its_purpose(client, evaluation, offer, clinic):
    entry_link, offer_link = entry_path(offer.entry, clinic=clinic, now=NOW), path_of(offer)
    tokens = {"waiting": entry_link.split("/")[2], "offer": offer_link.split("/")[2]}
    names = {"waiting": ["offer", "visit", "earlier"], "offer": ["waiting", "leave_wait_list", "visit", "cancel"]}
    for purpose, others in names.items():
        for name in others:
            assert client.get(reverse(f"booking:{name}", args=[tokens[purpose]])).status_code == 404
            assert client.post(reverse(f"booking:{name}", args=[tokens[purpose]])).status_code in (404, 405)
    stranger = Patient.objects.create(name="Mallory", email="mallory@example.com", created_at=NOW)
    for purpose, name, row in ((LinkPurpose.OFFER, "offer", offer), (LinkPurpose.WAITING, "waiting", offer.entry)):
        token = issue_link(
            patient=stranger,
            purpose=purpose,
            proof=Proof.MAILED,
            subject_id=row.pk,
            expires_at=NINE_ON_TUESDAY,
            now=NOW,
        )
        assert client.get(reverse(f"booking:{name}", args=[token])).status_code == 404
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        assert client.get(offer_link).status_code == 410


def test_the_pages_are_kept_out_of_search_engines_and_caches(client, offer, clinic):
    for path in (path_of(offer), entry_path(offer.entry, clinic=clinic, now=NOW)):
        page = client.get(path)
        assert "noindex" in page["X-Robots-Tag"] and "no-store" in page["Cache-Control"]


# What staff see


@pytest.fixture
def staff(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("olga@clinic.example", name="Olga"))
    return client


def test_staff_see_the_wait_list_the_offers_and_the_taker(staff, offer):
    visit = Appointment.objects.get(status="cancelled")
    today = text_of(staff.get("/admin/"))
    assert "Tue, Dec 1, 9:00 AM" in today
    page = staff.get(f"/admin/booking/appointment/{visit.pk}/change/").content.decode()
    assert f"/admin/booking/waitlistentry/{offer.entry_id}/change/" in page
    assert "Walter Waiting" in text_of(staff.get("/admin/booking/waitlistentry/"))
    staff.post(path_of(offer), {"version": "1"})
    assert "taken by Walter Waiting" in text_of(staff.get("/admin/"))
    assert "Tue, Dec 1, 9:00 AM: they" in text_of(staff.get(f"/admin/booking/waitlistentry/{offer.entry_id}/change/"))
    assert "who took it" in text_of(staff.get(f"/admin/booking/appointment/{visit.pk}/change/"))


def test_staff_add_change_and_remove_a_wait_list_entry(staff, evaluation):
    alice = book(evaluation).patient
    url = "/admin/booking/waitlistentry/"
    form = {"patient": alice.pk, "service": evaluation.pk, "mode": "in_person"} | WISHES
    assert staff.post(url + "add/", form).status_code == 302
    entry = WaitListEntry.objects.get()
    assert (entry.patient, entry.created_at) == (alice, NOW)
    again = staff.post(url + "add/", form)
    assert again.status_code == 200 and again.context["adminform"].form.non_field_errors()
    wrong = staff.post(f"{url}{entry.pk}/change/", form | {"last_on": "2026-11-01"})
    assert wrong.status_code == 200 and wrong.context["adminform"].form.errors
    staff.post(f"{url}{entry.pk}/change/", form | {"part_of_day": ""})
    staff.post(url, {"action": "take_off", "_selected_action": [entry.pk]})
    entry.refresh_from_db()
    assert (entry.part_of_day, entry.status) == ("", "left")
    assert staff.get(f"{url}{entry.pk}/change/").status_code == 200


def test_heading_of_an_entry_is_its_state_on_the_list(staff, evaluation):
    entry = wait_with(book(evaluation))
    page = f"/admin/booking/waitlistentry/{entry.pk}/change/"
    headings = {}
    for status in ("booked", "cancelled"):
        Appointment.objects.filter(pk=entry.appointment_id).update(
            status=status, cancelled_at=NOW if status == "cancelled" else None
        )
        answer = staff.get(page)
        chip = re.search(r'class="chip [\w-]+">([^<]+)', answer.content.decode())[1]
        headings[status] = answer.context["subtitle"]
        assert headings[status].endswith(f": {chip}")
    assert headings["booked"] != headings["cancelled"]


@pytest.mark.parametrize("people", [1, 30])
def test_the_list_costs_the_same_queries_for_one_and_for_thirty(
    staff, evaluation, people, django_assert_max_num_queries
):
    for number in range(people):
        wait(evaluation, name=f"W{number} Waiting")
    with django_assert_max_num_queries(12):
        assert staff.get("/admin/booking/waitlistentry/").status_code == 200


def test_the_list_is_closed_to_those_without_the_right(client, evaluation, front_desk):
    entry = wait(evaluation)
    client.force_login(front_desk)
    assert client.get("/admin/booking/waitlistentry/").status_code == 403
    assert client.get(f"/admin/booking/waitlistentry/{entry.pk}/change/").status_code == 403
