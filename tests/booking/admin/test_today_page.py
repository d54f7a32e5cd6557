"""The page of Today: what is now and next, only one's own visits, rows that change in place, and gaps that are offered."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from booking.actions.attend import mark_arrived, mark_no_show, mark_started, say_here
from booking.models import Appointment, OpeningHours, Service, SlotOffer
from booking.staff.todays_visits import DaysRows, split_day, visit_rows
from clinic.outbox.models import Message
from clinic.practice.models import Clinic, Role
from clinic.practice.registry.today import Group
from tests.booking.today import make_flag
from tests.booking.waiting import wait
from tests.factories import UserFactory
from tests.pages import text_of
from tests.world import DAY, HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db

TODAY = "/admin/"
OFFER = "/admin/booking/waitlistentry/offer/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NINE_ON_TUESDAY - 30 * MINUTE, tick=False) as clock:
        yield clock


def sign_in(client, role, **more):
    user = UserFactory(roles=[role], **more)
    client.force_login(user)
    return user


def titles(page) -> list[str]:
    return re.findall(r'<section class="group [^>]+>\s*<h2 id="\w+-title">([^<]+)</h2>', page)


def split(now, by) -> DaysRows:
    rows = visit_rows(Appointment.objects.all(), listing="visit", clinic=Clinic.objects.current(), now=now, by=by)
    return split_day(rows, now=now)


def names(rows) -> list[str]:
    return [row.appointment.patient.name for row in rows]


def field(page, name) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]


@pytest.fixture
def day(evaluation):
    """Visits at 9, 10 and 11, then at 1."""
    hours = {"Ann": 0, "Bea": 1, "Cleo": 2, "Dora": 4}
    return {name: book(evaluation, name=name, starts_at=NINE_ON_TUESDAY + hour * HOUR) for name, hour in hours.items()}


@pytest.mark.parametrize(
    ("minutes", "now", "later", "earlier"),
    [
        (-30, ["Ann"], ["Bea", "Cleo", "Dora"], []),
        (0, ["Ann", "Bea"], ["Cleo", "Dora"], []),
        (50, ["Bea"], ["Cleo", "Dora"], ["Ann"]),
        (239, ["Dora"], [], ["Ann", "Bea", "Cleo"]),
        (400, [], [], ["Ann", "Bea", "Cleo", "Dora"]),
    ],
)
def test_day_is_split_at_what_is_going_on_and_begins_next(day, front_desk, minutes, now, later, earlier):
    found = split(NINE_ON_TUESDAY + minutes * MINUTE, front_desk)
    assert (names(found.now), names(found.later), names(found.earlier)) == (now, later, earlier)


def test_leads_say_how_soon_a_visit_begins(day, front_desk):
    def leads(minutes):
        return [row.lead for row in split(NINE_ON_TUESDAY + timedelta(minutes=minutes), front_desk).now]

    assert leads(-30) == ["in 30 min"]
    assert leads(-60) == ["in 1 h"]
    assert leads(-90) == ["in 1 h 30 min"]
    assert leads(-0.5) == ["in 1 min"]
    assert leads(1) == ["now", "in 59 min"]


def test_patient_who_waits_or_is_in_the_room_is_now_whatever_the_time(day, front_desk):
    say_here(appointment=day["Cleo"], now=NINE_ON_TUESDAY + 70 * MINUTE)
    mark_arrived(appointment=day["Ann"], by=front_desk, now=NINE_ON_TUESDAY)
    mark_started(appointment=Appointment.objects.get(pk=day["Ann"].pk), by=front_desk, now=NINE_ON_TUESDAY + MINUTE)
    mark_no_show(appointment=day["Bea"], by=front_desk, now=NINE_ON_TUESDAY + HOUR)
    found = split(NINE_ON_TUESDAY + 75 * MINUTE, front_desk)
    assert (names(found.now), names(found.later), names(found.earlier)) == (["Ann", "Cleo", "Dora"], [], ["Bea"])


def test_visit_whose_patient_cannot_come_is_not_next(day, front_desk):
    Appointment.objects.filter(pk=day["Ann"].pk).update(not_coming_at=NOW)
    found = split(NINE_ON_TUESDAY - HOUR, front_desk)
    assert (names(found.now), names(found.later)) == (["Bea"], ["Ann", "Cleo", "Dora"])


def test_no_visit_of_the_day_is_shown_twice_or_left_out(client, owner, day):
    page = client.get(TODAY).text
    for visit in day.values():
        assert page.count(f'id="visit-{visit.pk}"') == 1


def test_groups_are_in_the_order_of_their_urgency_and_none_is_empty(client, owner, day):
    Message.objects.all().delete()  # overdue, since nothing is sent here
    assert titles(client.get(TODAY).text) == [Group.NOW.value, Group.DAY.value, Group.OPEN.value]
    Appointment.objects.filter(pk=day["Dora"].pk).update(not_coming_at=NOW)
    assert titles(client.get(TODAY).text) == [one.value for one in (Group.NOW, Group.CALLS, Group.DAY, Group.OPEN)]


def test_each_row_has_the_patient_the_number_and_the_visit(client, owner, evaluation):
    visit = book(evaluation)
    page = client.get(TODAY).text
    assert f'href="/admin/practice/patient/{visit.patient_id}/change/"' in page
    assert 'href="tel:+16035550199"' in page
    assert (
        f'href="{reverse("admin:booking_appointment_card", args=[visit.pk])}?next=/admin/%23visit-{visit.pk}"' in page
    )


def test_patient_is_no_link_for_those_who_may_not_see_patients(client, evaluation):
    visit = book(evaluation)
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename="view_appointment"))
    client.force_login(user)
    page = client.get(TODAY).text
    assert "Alice Runner" in page and f"/admin/practice/patient/{visit.patient_id}/" not in page


def test_next_day_is_shown_once_the_day_is_over(client, owner, day, evaluation, clock):
    book(evaluation, name="Eve", starts_at=NINE_ON_TUESDAY + DAY)
    assert "Next visits" not in client.get(TODAY).text
    clock.move_to(NINE_ON_TUESDAY + 9 * HOUR)
    sign_in(client, Role.OWNER)
    page = text_of(client.get(TODAY))
    assert "No more visits today." in page and "Next visits: Wednesday" in page and "Eve" in page


# Only mine


@pytest.fixture
def nora(client, evaluation):
    """A second therapist with an account, who is signed in, with a visit of her own at 10."""
    user = sign_in(client, Role.THERAPIST)
    nora = make_therapist("Nora", position=1)
    nora.user = user
    nora.save()
    evaluation.therapists.add(nora)
    book(evaluation, name="Noras Patient", therapist=nora, starts_at=NINE_ON_TUESDAY + HOUR)
    return nora


def test_only_mine_leaves_out_the_visits_and_gaps_of_others(client, evaluation, meredith, nora):
    book(evaluation, name="Other Patient", therapist=meredith)
    Message.objects.all().delete()  # overdue, and of no one in particular
    everyone, own = client.get(TODAY).text, client.get(TODAY, {"mine": "1"}).text
    assert "Other Patient" in everyone and "Noras Patient" in everyone and "with Meredith" in everyone
    assert "Other Patient" not in own and "Noras Patient" in own
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', own) == ["/admin/?mine=1"]
    assert 'name="mine" value="1"' in own and 'name="mine"' not in everyone


def test_button_pressed_on_only_mine_leads_back_to_it(client, evaluation, nora, clock):
    visit = Appointment.objects.get(patient__name="Noras Patient")
    clock.move_to(NINE_ON_TUESDAY + HOUR)
    client.force_login(nora.user)
    data = {"back": "today", "mine": "1", "version": visit.shown}
    answer = client.post(f"/admin/booking/appointment/{visit.pk}/act/arrived/", data)
    assert answer["Location"] == f"/admin/?mine=1#visit-{visit.pk}"


def test_only_mine_is_offered_only_to_one_of_several_therapists(client, evaluation, meredith):
    sign_in(client, Role.FRONT_DESK)
    make_therapist("Nora", position=1)
    assert "Only mine" not in client.get(TODAY).text
    user = sign_in(client, Role.THERAPIST)
    meredith.user = user
    meredith.save()
    assert "Only mine" in client.get(TODAY).text
    type(meredith).objects.exclude(pk=meredith.pk).update(is_active=False)
    page = client.get(TODAY, {"mine": "1"}).text
    assert "Only mine" not in page and 'name="mine"' not in page


# Rows that change in place


def test_row_of_a_list_is_swapped_by_its_own_row(client, evaluation, clock):
    sign_in(client, Role.FRONT_DESK)
    visit = book(evaluation, starts_at=NINE_ON_TUESDAY)
    clock.move_to(NINE_ON_TUESDAY + DAY)
    sign_in(client, Role.FRONT_DESK)
    assert f'id="unmarked-{visit.pk}"' in client.get(TODAY).text
    address = f"/admin/booking/appointment/{visit.pk}/act/"
    part = client.post(f"{address}no-show/", {"back": "unmarked", "version": visit.shown}, headers=HTMX)
    assert part.text.lstrip().startswith(f'<li id="unmarked-{visit.pk}"') and f"{address}undo-no-show/" in part.text
    assert "Tue, Dec 1, 9:00 AM" in text_of(part), "the list has visits of several days"
    assert f'id="unmarked-{visit.pk}"' not in client.get(TODAY).text


# Gaps


def gap_form(page, **more) -> dict[str, str]:
    row = page[page.index('class="row-gap"') :]
    return {name: field(row, name) for name in ("therapist", "starts_at", "ends_at")} | {"act": "offer"} | more


def test_gap_shows_who_waits_and_is_offered_by_one_press(client, evaluation):
    entry = wait(evaluation)
    sign_in(client, Role.FRONT_DESK)
    shown = client.get(TODAY)
    assert "waits for Evaluation" in text_of(shown) and "Email the person waiting" in shown.text
    page = shown.text
    part = client.post(OFFER, gap_form(page), headers=HTMX)
    assert part.status_code == 200 and "emailed in 3 minutes" in text_of(part)
    assert "Undo the offer" in part.text and "Email the person" not in part.text
    assert SlotOffer.objects.get().entry == entry
    shown = client.get(TODAY)
    assert "offered at 8:30 AM" in text_of(shown) and "not offered yet" in text_of(shown)
    answer = client.post(OFFER, gap_form(shown.text, act="undo"))
    assert answer["Location"].startswith("/admin/#gap-") and not SlotOffer.objects.exists()
    assert "taken back" in client.get(TODAY).text


def test_waiting_patient_is_booked_from_the_gap(client, evaluation):
    wait(evaluation)
    sign_in(client, Role.FRONT_DESK)
    links = re.findall(r'href="(/admin/booking/appointment/add/[^"]+)">Book [\d:]+ [AP]M', client.get(TODAY).text)
    form = client.get(links[0].replace("&amp;", "&")).context["form"]
    assert form.given_service == evaluation and form.given_start is not None


def test_gap_is_offered_only_by_those_who_may_change_the_wait_list(client, evaluation):
    wait(evaluation)
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_appointment", "view_waitlistentry"]))
    client.force_login(user)
    page = client.get(TODAY)
    assert "waits for Evaluation" in text_of(page) and OFFER not in page.text
    assert client.post(OFFER, {}).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="view_appointment"))
    client.force_login(type(user).objects.get(pk=user.pk))
    assert "waits for" not in text_of(client.get(TODAY))


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"therapist": "x", "starts_at": "2026-12-01T09:00:00+00:00", "ends_at": "2026-12-01T10:00:00+00:00"},
        {"starts_at": "soon"},
        {"ends_at": "2026-12-09T10:00:00+00:00"},
        {"starts_at": "2026-12-01T23:00:00+00:00", "ends_at": "2026-12-01T22:00:00+00:00"},
        {"starts_at": "0001-01-01T00:00:00+14:00", "ends_at": "0001-01-01T01:00:00+14:00"},
    ],
)
def test_gap_that_is_none_is_refused(client, evaluation, meredith, sent):
    wait(evaluation)
    sign_in(client, Role.FRONT_DESK)
    times = {"starts_at": "2026-12-01T14:00:00+00:00", "ends_at": "2026-12-01T15:00:00+00:00"}
    answer = client.post(OFFER, {"therapist": str(meredith.pk), **times, **sent} if sent else {})
    assert answer.status_code == 303
    assert not SlotOffer.objects.exists()
    assert "Nothing was sent" in client.get(TODAY).text


# What is left to set up


def test_what_keeps_patients_from_booking_is_listed_for_owners_only(client, evaluation, call):
    OpeningHours.objects.all().delete()
    Service.objects.update(listing="hidden")
    sign_in(client, Role.OWNER)
    page = text_of(client.get(TODAY))
    assert "Enter the opening hours" in page and "Offer a service online" in page
    sign_in(client, Role.FRONT_DESK)
    page = text_of(client.get(TODAY))
    assert "Enter the opening hours" not in page and "sign off" not in page


def test_rules_to_sign_off_are_listed_for_therapists(client, evaluation):
    sign_in(client, Role.THERAPIST)
    assert reverse("admin:assessments_rulesignoff_changelist") + '">Read and sign off' in client.get(TODAY).text


def test_patient_who_asked_for_a_call_is_among_the_calls(client, evaluation):
    flag = make_flag(book(evaluation), NOW)
    sign_in(client, Role.THERAPIST)
    assert "Asked us to call" not in client.get(TODAY).text
    flag.callback_requested_at = NOW
    flag.save()
    page = client.get(TODAY).text
    row = page[page.index('class="row-call-back"') :]
    assert "Mon, Nov 23, 10:00 AM" in row and 'href="tel:+16035550199"' in row
    assert reverse("admin:assessments_flag_follow_up", args=[flag.pk]) in row
