"""Staff search for the next free times, and each listed time opens the form that books it."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from booking.models import Appointment, OpeningHours, Service
from booking.staff.open_times import NEXT, read_open_times
from booking.time.intervals import Interval
from tests.factories import CallFactory, UserFactory
from tests.world import HOUR, NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db
FIND, ADD = "/admin/booking/appointment/find/", "/admin/booking/appointment/add/"
LISTED = re.compile(r'<a class="time([^"]*)" href="([^"]+)"')


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def listed(client, **query) -> list[tuple[str, str]]:
    """Return (start, therapist's key) of each listed time."""
    page = client.get(FIND, query)
    assert page.status_code == 200
    addresses = [unescape(address) for _, address in LISTED.findall(page.text)]
    return [re.search(r"therapist=([0-9a-f-]+)&starts_at=(.+)$", one).group(2, 1) for one in addresses]


def starts(client, **query) -> list[str]:
    return [start.replace("%3A", ":") for start, _ in listed(client, **query)]


def test_next_twenty_times_are_listed_from_now_on(client, owner, evaluation):
    found = starts(client, service=evaluation.pk)
    assert len(found) == NEXT and found == sorted(found)
    assert found[0] == "2026-11-23T10:00", "the first one after now, 10 AM, although patients need 12 hours of notice"


def test_each_listed_time_opens_the_form_with_its_values_and_can_be_booked(client, owner, evaluation, meredith):
    page = client.get(FIND, {"service": evaluation.pk, "first_day": "2026-12-01"}).text
    address = unescape(LISTED.findall(page)[0][1])
    form = client.get(address).context["form"]
    assert (form.given_service, form.given_therapist, form.given_start) == (evaluation, meredith, NINE_ON_TUESDAY)
    html = client.get(address).text
    assert 'value="2026-12-01T09:00"' in html and f'value="{evaluation.pk}" selected' in html


@pytest.mark.parametrize(
    ("part", "first"), [("", "T09:00"), ("lunch", "T13:00"), ("after-work", "T17:30"), ("before-work", "T08:00")]
)
def test_part_of_the_day_limits_the_times(client, owner, evaluation, meredith, part, first):
    OpeningHours.objects.create(therapist=meredith, weekday=1, opens="17:30", closes="19:00")
    OpeningHours.objects.create(therapist=meredith, weekday=2, opens="08:00", closes="09:00")
    found = starts(client, service=evaluation.pk, part=part, first_day="2026-12-01")
    assert found[0].endswith(first)


def test_times_are_of_the_chosen_therapists_and_of_all_without_a_choice(client, owner, evaluation, meredith):
    nora, _ = make_therapist("Nora", position=1), make_therapist("Otto", position=2)
    evaluation.therapists.add(nora)
    day = {"service": evaluation.pk, "first_day": "2026-12-01"}
    both = [key for _, key in listed(client, **day)]
    assert both[:2] == [str(meredith.pk), str(nora.pk)] and len(both) == 2 * NEXT
    assert {key for _, key in listed(client, **day, therapist=nora.pk)} == {str(nora.pk)}


def test_times_that_only_staff_may_book_are_marked(client, owner, evaluation, meredith):
    OpeningHours.objects.filter(weekday=1, opens="09:00").update(mode="call_us")
    page = client.get(FIND, {"service": evaluation.pk, "first_day": "2026-12-01"})
    rows = [row for _, rows in page.context["days"][:1] for row in rows]
    marked = {row["time"].clock for row in rows if row["slots"][0]["mark"]}
    assert marked == {"9:00 AM", "9:30 AM", "10:00 AM", "10:30 AM", "11:00 AM"}
    assert page.context["has_marks"]


def test_taken_and_closed_times_are_not_listed(client, owner, evaluation):
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    found = starts(client, service=evaluation.pk, first_day="2026-12-01")
    assert found[:2] == ["2026-12-01T09:00", "2026-12-01T11:00"]


def test_later_times_continue_without_a_gap_or_a_repetition(client, owner, evaluation, clinic):
    page = client.get(FIND, {"service": evaluation.pk, "first_day": "2026-12-01"})
    later = client.get(f"{FIND}?{page.context['later']}")
    first, second = ([row["time"].instant for _, rows in one.context["days"] for row in rows] for one in (page, later))
    every = read_open_times(
        service=evaluation,
        stretch=Interval(NINE_ON_TUESDAY, NINE_ON_TUESDAY + timedelta(days=14)),
        now=NOW,
        clinic=clinic,
    )
    assert first + second == [time.starts_at for time in every.first(2 * NEXT)]


@pytest.mark.parametrize(
    "query",
    [
        {"service": "x"},
        {"service": "7e6af162-de48-497e-b0d2-0d153d06f39a"},
        {"first_day": "tomorrow"},
        {"first_day": "9999-12-31"},
        {"part": "noon"},
        {"therapist": "1"},
        {"after": "x"},
        {"after": "2026-03-08T02:30"},
    ],
)
def test_garbage_in_the_address_lists_nothing_and_breaks_nothing(client, owner, evaluation, query):
    make_therapist("Nora", position=1)
    page = client.get(FIND, {"service": evaluation.pk, **query})
    assert page.status_code == 200 and "days" not in page.context
    assert client.get(FIND, {"service": evaluation.pk, "q": "\x00"}).status_code == 400
    assert client.post(FIND, query).status_code == 405


def test_the_only_service_is_searched_at_once_and_one_of_two_is_asked_for(client, owner, evaluation):
    assert starts(client)
    CallFactory(therapists=list(evaluation.therapists.all()))
    assert starts(client) == []
    assert client.get(FIND).context["form"].errors == {}


def test_service_that_patients_cannot_book_online_is_listed_for_staff(client, owner, evaluation):
    Service.objects.update(listing=Service.Listing.CALL_US)
    page = client.get(FIND, {"service": evaluation.pk})
    assert page.context["has_marks"] and len(LISTED.findall(page.text)) == NEXT


def test_search_beyond_the_horizon_lists_marked_times(client, owner, evaluation):
    found = starts(client, service=evaluation.pk, first_day="2027-06-01")
    assert found[0] == "2027-06-01T09:00"


@pytest.mark.parametrize("rights", [(), ("view_appointment",), ("change_appointment", "view_patient")])
def test_page_is_only_for_those_who_may_add_visits(client, evaluation, rights):
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=[*rights, "view_therapist"]))
    client.force_login(user)
    assert client.get(FIND, {"service": evaluation.pk}).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_appointment"))
    assert client.get(FIND, {"service": evaluation.pk}).status_code == 200


def test_page_costs_the_same_queries_with_one_and_with_thirty_therapists_and_visits(
    client, owner, evaluation, django_assert_max_num_queries
):
    def count(**query) -> int:
        with django_assert_max_num_queries(20) as queries:
            assert client.get(FIND, {"service": evaluation.pk, **query}).status_code == 200
        return len(queries)

    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    book(evaluation)
    before, chosen = count(), count(therapist=nora.pk)
    for number in range(28):
        therapist = make_therapist(f"Nora{number}", position=number)
        evaluation.therapists.add(therapist)
        book(evaluation, therapist=therapist, name=f"Bob {number}")
    assert Appointment.objects.count() == 29
    assert (count(), count(therapist=nora.pk)) == (before, chosen)


def test_today_and_the_list_of_visits_link_to_the_search_and_gaps_to_the_form(client, owner, evaluation, meredith):
    for address in ("/admin/", "/admin/booking/appointment/"):
        assert f'href="{FIND}"' in client.get(address).text
    gap = re.search(r'<a href="([^"]+)">Book<span', client.get("/admin/").text)[1]
    form = client.get(unescape(gap)).context["form"]
    assert (form.given_therapist, form.given_start, form.given_service) == (meredith, NOW, None)
    with time_machine.travel(datetime(2026, 11, 23, 16, 52, tzinfo=UTC), tick=False):
        client.force_login(owner)
        gaps = re.findall(r'starts_at=([^"]+)"', client.get("/admin/").text)
        assert gaps == ["2026-11-23T13%3A00"], "the rest of the morning is shorter than half an hour"


def test_gap_is_only_a_link_for_those_who_may_book(client, evaluation):
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename="view_appointment"))
    client.force_login(user)
    page = client.get("/admin/").text
    assert "min free" in page and ADD not in page and FIND not in page


def test_day_in_the_past_means_today(client, owner, evaluation):
    assert starts(client, service=evaluation.pk, first_day="2026-11-02")[0] == "2026-11-23T10:00"
    assert date(2026, 11, 2) < NOW.date() and reverse("admin:booking_appointment_find") == FIND
