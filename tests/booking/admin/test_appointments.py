"""Visits in the admin: permissions, contents of the pages, and changes only through the domain functions."""

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from booking.actions.attend import complete_visits, mark_arrived, mark_no_show, undo_arrival
from booking.actions.block_time import block_time
from booking.actions.change import cancel_appointment, move_appointment
from booking.actions.hold import hold_time
from booking.admin.acts import ACTS, OUTCOMES
from booking.admin.error_text import REFUSALS
from booking.models import Appointment
from booking.schedule.errors import (
    ArrivalTooEarly,
    SlotTaken,
    TimeClosed,
    VisitCancelled,
    VisitChanged,
    VisitNotStarted,
)
from booking.schedule.slots import Slot
from booking.staff.visit_status import MARKS
from clinic.audit.models import AccessEvent
from tests.world import NINE_ON_TUESDAY, NOW, book, make_therapist

LIST = "/admin/booking/appointment/"
ADD = "/admin/booking/appointment/add/"
BLOCK = "/admin/booking/hoursoverride/add/"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def page_of(visit) -> str:
    return reverse("admin:booking_appointment_change", args=[visit.pk])


def act(client, visit, name):
    url = reverse("admin:booking_appointment_act", args=[visit.pk, name])
    return client.post(url, {"version": shown(visit)}, follow=True)


def shown(visit) -> str:
    """Return the state of the visit that a page loaded now would send back."""
    return Appointment.objects.get(pk=visit.pk).shown


def by_phone(**changes):
    return {
        "name": "Bob Caller",
        "email": "bob@example.com",
        "phone": "603 555 0199",
        "mode": "in_person",
        "starts_at": "2026-12-01T09:00",
        "idempotency_key": str(uuid.uuid4()),
    } | changes


def test_list_starts_with_today_and_shows_chips_in_the_clinics_time_zone(client, owner, evaluation):
    book(evaluation, name="Past Patty", now=NOW - timedelta(days=9), starts_at=NINE_ON_TUESDAY - timedelta(days=11))
    book(evaluation)
    page = client.get(LIST).content.decode()
    everything = client.get(LIST + "?when=all").content.decode()
    assert "Alice Runner" in page
    assert "Past Patty" not in page
    assert "Past Patty" in everything
    assert "Tue, Dec 1, 9:00 AM" in page
    assert '<span class="chip chip-new">new</span>' in page


def test_search_looks_at_all_days(client, owner, evaluation):
    book(evaluation, name="Past Patty", now=NOW - timedelta(days=9), starts_at=NINE_ON_TUESDAY - timedelta(days=11))
    found = client.post(LIST, {"q": "patty"})
    assert "Past Patty" in client.get(found["Location"]).content.decode()


@pytest.mark.parametrize("when", ["today", "tomorrow", "past", "all", "nonsense"])
def test_each_list_opens(client, owner, evaluation, when):
    book(evaluation)
    assert client.get(LIST, {"when": when}).status_code == 200


def test_opening_a_visit_is_recorded_in_the_access_log(client, owner, evaluation):
    visit = book(evaluation)
    page = client.get(page_of(visit))
    assert page.status_code == 200
    assert visit.reference in page.content.decode()
    assert "/act/arrived/" not in page.content.decode(), "not before its day"
    assert "Mon, Nov 23, 10:00 AM: booked" in page.content.decode()
    assert AccessEvent.objects.filter(actor=owner, action="R", object_id=str(visit.pk)).count() == 1


def test_time_and_state_cannot_be_edited(client, owner, evaluation):
    visit = book(evaluation)
    assert client.post(page_of(visit), {"status": "completed", "starts_at_0": "2026-12-02"}).status_code == 403
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_marking_and_cancelling_go_through_the_rules(client, owner, evaluation):
    visit = book(evaluation)
    assert REFUSALS[VisitNotStarted] in act(client, visit, "no-show").content.decode()
    assert REFUSALS[ArrivalTooEarly] in act(client, visit, "arrived").content.decode()
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        client.force_login(owner)
        assert "/act/arrived/" in client.get(page_of(visit)).content.decode()
        came = act(client, visit, "arrived").content.decode()
        assert ACTS["arrived"][1] in came and MARKS["undo-arrival"][1] in came
        for name in ("undo-arrival", "start", "finish", "undo-finish", "undo-start", "no-show", "undo-no-show"):
            assert ACTS[name][1] in act(client, visit, name).content.decode()
        act(client, visit, "cancel")
        visit.refresh_from_db()
        assert (visit.status, visit.cancelled_by) == ("cancelled", owner)
        assert REFUSALS[VisitCancelled] in act(client, visit, "arrived").content.decode()
    assert client.get(reverse("admin:booking_appointment_act", args=[visit.pk, "cancel"])).status_code == 405
    assert act(client, visit, "explode").status_code == 200


def test_several_visits_are_marked_at_once(client, owner, evaluation):
    visits = [book(evaluation), book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))]
    with time_machine.travel(NINE_ON_TUESDAY, tick=False):
        client.force_login(owner)
        chosen = {"action": "mark_as_arrived", "_selected_action": [visit.pk for visit in visits]}
        asked = client.post(LIST + "?when=all", chosen).content.decode()
        assert asked.count(OUTCOMES["arrived"][1]) == 2
        assert not Appointment.objects.filter(arrived_at=NINE_ON_TUESDAY).exists()
        seen = {"confirmed": "1", "seen": " ".join(f"{visit.pk}={visit.shown}" for visit in visits)}
        client.post(LIST + "?when=all", chosen | seen)
    assert Appointment.objects.filter(arrived_at=NINE_ON_TUESDAY).count() == 2


def test_visit_that_is_over_is_shown_as_unmarked_until_it_is_marked(client, owner, evaluation, front_desk):
    past, weeks = book(evaluation), timedelta(weeks=5)
    book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    with time_machine.travel(NINE_ON_TUESDAY + weeks, tick=False):
        client.force_login(owner)
        mark_no_show(
            appointment=Appointment.objects.exclude(pk=past.pk).get(), by=front_desk, now=NINE_ON_TUESDAY + weeks
        )
        page = client.get(LIST, {"ending": "unmarked"}).content.decode()
        assert "Alice Runner" in page and "unmarked: did they come?" in page and "Bob" not in page
        act(client, past, "arrived")
        assert "Alice Runner" not in client.get(LIST, {"ending": "unmarked"}).content.decode()


def test_staff_book_for_a_caller(client, owner, evaluation, meredith):
    assert client.get(ADD).status_code == 200
    form = by_phone(service=evaluation.pk, therapist=meredith.pk)
    assert client.post(ADD, form).status_code == 303
    visit = Appointment.objects.get()
    assert visit.starts_at == NINE_ON_TUESDAY
    assert visit.events.get().by == owner
    taken = client.post(ADD, by_phone(service=evaluation.pk, therapist=meredith.pk, name="Carol"))
    assert REFUSALS[SlotTaken] in taken.content.decode()
    assert 'value="Carol"' in taken.content.decode()
    early = client.post(ADD, form | {"starts_at": "2026-12-01T07:00", "idempotency_key": str(uuid.uuid4())})
    assert "outside the opening hours" in early.content.decode()


def test_pages_of_services_and_hours_open(client, owner, evaluation):
    for path in ("service/", "service/add/", "openinghours/", "openinghours/add/", f"service/{evaluation.pk}/change/"):
        assert client.get(f"/admin/booking/{path}").status_code == 200


@pytest.mark.parametrize("permission", [None, "view_appointment"])
def test_view_permission_opens_the_pages_and_allows_no_act(client, front_desk, evaluation, permission):
    if permission:
        front_desk.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(front_desk)
    visit = book(evaluation)
    assert client.get(LIST).status_code == (200 if permission else 403)
    assert client.get(page_of(visit)).status_code == (200 if permission else 403)
    assert client.get(ADD).status_code == 403
    assert client.get(BLOCK).status_code == 403
    assert act(client, visit, "cancel").status_code == 403
    visit.refresh_from_db()
    assert visit.status == "booked"


def test_pages_redirect_to_the_login_when_signed_out(client, evaluation):
    visit = book(evaluation)
    for path in (LIST, ADD, BLOCK, page_of(visit)):
        response = client.get(path)
        assert response.status_code == 302
        assert "/login/" in response["Location"]


def test_the_list_costs_the_same_with_one_and_with_thirty_rows(
    client, owner, evaluation, django_assert_max_num_queries
):
    def count():
        with django_assert_max_num_queries(30) as queries:
            assert client.get(LIST).status_code == 200
        return len(queries)

    book(evaluation)
    before = count()
    for number in range(8):
        nora = make_therapist(f"Nora{number}", position=number)
        evaluation.therapists.add(nora)
        for hour in (0, 1, 4, 5):
            book(
                evaluation, therapist=nora, starts_at=NINE_ON_TUESDAY + timedelta(hours=hour), name=f"B {number} {hour}"
            )
    assert count() == before


def test_several_visits_are_cancelled_only_after_a_confirmation_and_unless_changed(client, owner, evaluation):
    first, second = book(evaluation), book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    third = book(evaluation, name="Carol", starts_at=NINE_ON_TUESDAY + timedelta(hours=2))
    cancel_appointment(appointment=third, now=NOW)
    chosen = {"action": "cancel", "_selected_action": [first.pk, second.pk, third.pk]}
    asked = client.post(LIST, chosen).content.decode()
    assert f"{first.reference}, Alice Runner, Tue, Dec 1, 9:00 AM, Meredith: {OUTCOMES['cancel'][1]}" in asked
    assert asked.count(OUTCOMES["cancel"][1]) == 2, "the third is cancelled already"
    assert Appointment.objects.filter(status="booked").count() == 2
    move_appointment(appointment=second, starts_at=NINE_ON_TUESDAY + timedelta(hours=5), now=NOW)
    seen = {"confirmed": "1", "seen": re.search('name="seen" value="([^"]+)"', asked)[1]}
    done = client.post(LIST, chosen | seen, follow=True).content.decode()
    assert REFUSALS[VisitChanged] in done and "2:00 PM" in done
    states = dict(Appointment.objects.values_list("pk", "status"))
    assert states == {first.pk: "cancelled", second.pk: "booked", third.pk: "cancelled"}


@pytest.mark.parametrize("version", ["", "1", "2", "1:booked", "x", "99999"])
def test_action_from_a_stale_page_does_nothing_and_shows_the_current_visit(client, owner, evaluation, version):
    visit = book(evaluation)
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + timedelta(hours=5), now=NOW)
    assert 'name="version" value="2:booked"' in client.get(page_of(visit)).content.decode()
    for name in ("cancel", "arrived"):
        url = reverse("admin:booking_appointment_act", args=[visit.pk, name])
        said = client.post(url, {"version": version}, follow=True).content.decode()
        assert REFUSALS[VisitChanged] in said and "2:00 PM" in said
    visit.refresh_from_db()
    assert (visit.status, visit.arrived_at) == ("booked", None)


def test_stale_move_form_shows_the_current_visit_and_can_be_sent_again(client, owner, evaluation, meredith):
    visit = book(evaluation)
    url = reverse("admin:booking_appointment_move", args=[visit.pk])
    assert "Tuesday, December 1, 9:00 AM EST, with Meredith" in client.get(url).content.decode()
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + timedelta(hours=5), now=NOW)
    form = {"therapist": meredith.pk, "starts_at": "2026-12-01T10:00", "version": "1:booked"}
    asked = client.post(url, form).content.decode()
    assert "Tuesday, December 1, 2:00 PM EST" in asked and 'name="version" value="2:booked"' in asked
    assert client.post(url, form | {"version": "2:booked"}).status_code == 303
    visit.refresh_from_db()
    assert visit.starts_at == NINE_ON_TUESDAY + timedelta(hours=1)


def test_staff_are_asked_before_a_cancellation_is_undone_into_blocked_time(client, owner, evaluation, meredith):
    visit = book(evaluation)
    with time_machine.travel(NOW, tick=False) as clock:
        act(client, visit, "cancel")
        clock.shift(timedelta(minutes=1))
        end = NINE_ON_TUESDAY + timedelta(hours=1)
        block_time(therapist=meredith, starts_at=NINE_ON_TUESDAY, ends_at=end, by=owner)
        asked = act(client, visit, "undo").content.decode()
        assert REFUSALS[TimeClosed] in asked
        visit.refresh_from_db()
        assert visit.status == "cancelled"
        url = reverse("admin:booking_appointment_act", args=[visit.pk, "undo"])
        client.post(url, {"version": visit.shown, "despite_closure": "1"})
    visit.refresh_from_db()
    assert visit.status == "booked"


@pytest.mark.parametrize("words", ["(603) 555-0142", "603.555.0142", "0142", "(603) 555-0199", "RUNNER alice"])
def test_visits_are_found_by_either_number_and_by_parts_of_a_name(client, front_desk, evaluation, words):
    visit = book(evaluation)
    Appointment.objects.filter(pk=visit.pk).update(other_phone="+16035550142")
    front_desk.is_superuser = True
    front_desk.save()
    client.force_login(front_desk)
    found = client.post(reverse("admin:booking_appointment_changelist"), {"q": words})
    assert "Alice Runner" in client.get(found["Location"]).content.decode()


def test_button_on_today_returns_to_its_row_and_a_refusal_to_the_top(client, owner, evaluation):
    visit = book(evaluation)
    address = reverse("admin:booking_appointment_act", args=[visit.pk, "no-show"])
    early = client.post(address, {"back": "today", "version": shown(visit)})
    assert (early.status_code, early["Location"]) == (303, "/admin/")
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(minutes=10), tick=False):
        client.force_login(owner)
        done = client.post(address, {"back": "today", "version": shown(visit)})
        page = client.get("/admin/").content.decode()
    assert done["Location"] == f"/admin/#visit-{visit.pk}"
    assert f'id="visit-{visit.pk}"' in page
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(days=1), tick=False):
        client.force_login(owner)
        ended = client.post(
            reverse("admin:booking_appointment_act", args=[visit.pk, "arrived"]),
            {"back": "unmarked", "version": shown(visit)},
        )
        assert ended["Location"] == "/admin/#unmarked"


def test_a_mark_from_another_desk_is_not_overwritten_by_a_stale_page(client, owner, evaluation):
    visit = book(evaluation)
    with time_machine.travel(NINE_ON_TUESDAY + timedelta(minutes=5), tick=False) as clock:
        client.force_login(owner)
        page = client.get("/admin/").content.decode()
        assert 'name="version" value="1:booked"' in page
        mark_arrived(appointment=visit, by=owner, now=NINE_ON_TUESDAY + timedelta(minutes=5))
        for name in ("no-show", "cancel", "undo-no-show"):
            url = reverse("admin:booking_appointment_act", args=[visit.pk, name])
            said = client.post(url, {"version": "1:booked"}, follow=True).content.decode()
            assert REFUSALS[VisitChanged] in said
        chosen = {"action": "mark_as_no_show", "_selected_action": visit.pk, "confirmed": "1"}
        client.post(LIST, chosen | {"seen": f"{visit.pk}=1:booked"})
        move = {"therapist": visit.therapist_id, "starts_at": "2026-12-01T10:00", "version": "1:booked"}
        url = reverse("admin:booking_appointment_move", args=[visit.pk])
        assert REFUSALS[VisitChanged] in client.post(url, move).content.decode()
        assert shown(visit) == "1:arrived"
        clock.shift(timedelta(hours=1))
        client.force_login(owner)
        complete_visits(now=NINE_ON_TUESDAY + timedelta(hours=1))
        url = reverse("admin:booking_appointment_act", args=[visit.pk, "undo-arrival"])
        client.post(url, {"version": "1:arrived"})
    assert shown(visit) == "1:booked", "time alone makes no page stale"


def test_bulk_action_sends_few_fields_and_reads_the_clinic_once(
    client, owner, evaluation, django_assert_max_num_queries
):
    visits = [book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=day)) for day in (0, 1, 2, 3, 6, 7, 8, 9)]
    with django_assert_max_num_queries(25) as asked_one:
        client.post(LIST, {"action": "cancel", "_selected_action": visits[0].pk})
    with django_assert_max_num_queries(len(asked_one)):
        asked = client.post(LIST, {"action": "cancel", "_selected_action": [visit.pk for visit in visits]})
    page = asked.content.decode()
    form = dict(re.findall('type="hidden" name="([a-z_]+)" value="([^"]*)"', page))
    assert page.count('type="hidden"') < 12, "one field a visit would be refused at a thousand"
    client.post(LIST, form)
    assert set(Appointment.objects.values_list("status", flat=True)) == {"cancelled"}


def test_more_visits_than_one_request_can_change_are_refused_at_once(client, owner, evaluation, monkeypatch):
    monkeypatch.setattr("booking.admin.acts.MOST_AT_ONCE", 1)
    visits = [book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=day)) for day in range(2)]
    chosen = {"action": "cancel", "_selected_action": [visit.pk for visit in visits]}
    assert "Choose at most 1" in client.post(LIST, chosen, follow=True).content.decode()
    too_many = " ".join(f"{visit.pk}={visit.shown}" for visit in visits)
    forged = client.post(LIST, chosen | {"confirmed": "1", "seen": too_many}, follow=True)
    assert "Choose at most 1" in forged.content.decode()
    for garbage in ("", "x", "x=1:booked", f"{visits[0].pk}", f"{visits[0].pk}="):
        client.post(LIST, chosen | {"confirmed": "1", "seen": garbage})
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}


def test_bulk_action_reports_a_visit_that_has_left_the_list(client, owner, evaluation, meredith):
    """The page then shows that the visit was changed. The visit is not skipped silently."""
    visit = book(evaluation)
    day = {"action": "cancel", "_selected_action": visit.pk, "confirmed": "1", "seen": f"{visit.pk}={visit.shown}"}
    move_appointment(appointment=visit, starts_at=NINE_ON_TUESDAY + timedelta(days=7), now=NOW)
    said = client.post(f"{LIST}?starts_at__day=1&starts_at__month=12&starts_at__year=2026", day, follow=True)
    assert REFUSALS[VisitChanged] in said.content.decode()


def test_history_of_a_completed_visit_ends_with_its_completion(client, owner, evaluation):
    visit = book(evaluation)
    over = NINE_ON_TUESDAY + timedelta(hours=1)
    mark_arrived(appointment=visit, by=owner, now=NINE_ON_TUESDAY)
    assert ": completed" not in client.get(page_of(visit)).content.decode()
    complete_visits(now=over)
    assert "Tue, Dec 1, 9:45 AM: completed" in client.get(page_of(visit)).content.decode()
    undo_arrival(appointment=visit, by=owner, now=over)
    late = over + timedelta(minutes=20)
    mark_arrived(appointment=visit, by=owner, now=late)
    assert "Tue, Dec 1, 10:20 AM: completed" in client.get(page_of(visit)).content.decode()


def test_actions_on_a_hold_are_refused_with_a_message(client, owner, evaluation, meredith):
    slot = Slot(evaluation, meredith, NINE_ON_TUESDAY)
    held = hold_time(slot=slot, idempotency_key=uuid.uuid4(), now=NOW)
    for name in ("arrived", "undo-arrival", "no-show", "undo-no-show", "cancel", "keep", "undo"):
        page = act(client, held, name)
        assert page.status_code == 200 and held.reference in page.content.decode()
    typed = {"therapist": meredith.pk, "starts_at": "2026-12-01T11:00", "version": shown(held)}
    assert client.post(reverse("admin:booking_appointment_move", args=[held.pk]), typed).status_code == 200
    held.refresh_from_db()
    assert (held.status, held.starts_at) == ("held", NINE_ON_TUESDAY)


def test_page_of_a_held_time_shows_dashes_where_there_is_nothing(client, owner, evaluation, meredith):
    slot = Slot(evaluation, meredith, NINE_ON_TUESDAY)
    held = hold_time(slot=slot, idempotency_key=uuid.uuid4(), now=NOW)
    page = client.get(page_of(held)).content.decode()
    assert "None" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    for label in ("Phone", "History"):
        assert re.search(rf"<label>{label}:</label>\s*<div class=\"readonly\">–</div>", page), label


def test_messages_are_found_by_the_reference_of_their_visit(client, owner, evaluation):
    visit, other = book(evaluation), book(evaluation, name="Bob", starts_at=NINE_ON_TUESDAY + timedelta(hours=1))
    ledger = "/admin/outbox/message/"
    for words in (visit.reference, visit.reference.lower(), visit.reference.removeprefix("RC-")):
        found = client.get(client.post(ledger, {"q": words})["Location"]).content.decode()
        assert "Alice Runner" in found and "Bob" not in found
    assert "Bob" not in client.get(client.post(ledger, {"q": "RC-222222"})["Location"]).content.decode()
    assert other.reference not in visit.reference
