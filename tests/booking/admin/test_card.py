"""The card of a visit: what each role sees of it, its buttons, and where a press leads back to."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from booking.actions.attend import mark_arrived, mark_no_show, mark_started, say_here
from booking.actions.hold import hold_time
from booking.admin.error_text import REFUSALS
from booking.models import Appointment
from booking.schedule.errors import VisitChanged
from booking.schedule.slots import Slot
from booking.staff.visit_status import MARKS, cancel_buttons, fee_buttons, mark_buttons, status_chips
from clinic.audit.models import AccessEvent
from clinic.practice.models import Clinic, Role
from clinic.responses.admin_addresses import local_back
from tests.factories import UserFactory
from tests.pages import text_of
from tests.patient_record import make_response
from tests.world import HOUR, MINUTE, NINE_ON_TUESDAY, NOW, book

pytestmark = pytest.mark.django_db

DURING = NINE_ON_TUESDAY + 5 * MINUTE
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DURING, tick=False) as clock:
        yield clock


@pytest.fixture
def visit(evaluation):
    evaluation.late_fee_cents = 4500
    evaluation.save()
    return book(evaluation)


def card_of(visit, **query) -> str:
    return reverse("admin:booking_appointment_card", args=[visit.pk], query=query or None)


def sign_in(client, role):
    user = UserFactory(roles=[role])
    client.force_login(user)
    return user


def press(client, visit, name, *, headers=None, **data):
    visit = Appointment.objects.get(pk=visit.pk)
    url = reverse("admin:booking_appointment_act", args=[visit.pk, name])
    return client.post(url, {"version": visit.shown, **data}, headers=headers)


def acts_on(page) -> set[str]:
    return set(re.findall(r'action="[^"]*/act/([a-z-]+)/"', page.text))


def chips_of(visit, **who) -> list[str]:
    visit = Appointment.objects.get(pk=visit.pk)
    return [chip.text for chip in status_chips(visit, zone=Clinic.objects.current().zone, now=DURING, **who)]


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.FRONT_DESK, Role.OWNER])
def test_card_shows_each_role_only_what_it_may_see(client, visit, charlie, role):
    intake = make_response(visit.patient, charlie)
    intake.flags.update(staff_acknowledged_at=None, staff_acknowledged_by=None)
    Appointment.objects.filter(pk=visit.pk).update(intake=intake)
    user = sign_in(client, role)
    page = client.get(card_of(visit))
    assert page.status_code == 200 and 'href="tel:' in page.text
    assert reverse("admin:practice_patient_change", args=[visit.patient_id]) in page.text
    answers = reverse("admin:assessments_response_change", args=[intake.pk])
    assert page.text.count(answers) == (2 if role == Role.THERAPIST else 0), "of the intake, and of the flag"
    assert f"intake {intake.progress}" in page.text
    assert AccessEvent.objects.filter(actor=user, action="R", object_id=str(visit.pk)).count() == 1


@pytest.mark.parametrize("role", [Role.EDITOR, Role.AUDITOR])
def test_card_and_acts_are_refused_without_the_permission(client, visit, role):
    sign_in(client, role)
    assert client.get(card_of(visit)).status_code == 403
    for name in ("start", "cancel-waived", "fee-charged"):
        assert press(client, visit, name).status_code == 403
    assert Appointment.objects.get().events.count() == 1


def test_card_changes_nothing_by_get_and_a_hold_has_none(client, owner, visit, meredith, evaluation):
    before = Appointment.objects.values().get()
    client.get(card_of(visit))
    client.get(reverse("admin:booking_appointment_act", args=[visit.pk, "start"]))
    assert Appointment.objects.values().get() == before
    slot = Slot(evaluation, meredith, NINE_ON_TUESDAY + 24 * HOUR)
    held = hold_time(slot=slot, idempotency_key=visit.pk, now=DURING)
    assert client.get(card_of(held)).status_code == 303
    assert client.post(card_of(visit)).status_code == 405


def test_every_status_is_one_press_away_with_its_undo(client, owner, visit):
    assert acts_on(client.get(card_of(visit))) >= {"arrived", "start", "finish", "no-show", "cancel", "cancel-waived"}
    for name, state in (("arrived", "arrived"), ("start", "in_progress"), ("finish", "done"), ("no-show", "no_show")):
        assert press(client, visit, name).status_code == 303
        assert Appointment.objects.get().state.value == state
        undo = "undo-arrival" if name == "arrived" else f"undo-{name}"
        assert undo in acts_on(client.get(card_of(visit)))
        press(client, visit, undo)
        assert Appointment.objects.get().state.value == "booked"


def test_late_cancellation_suggests_what_was_agreed_and_is_undone_in_one_press(client, owner, visit, clock):
    clock.move_to(NINE_ON_TUESDAY - HOUR)
    buttons = re.findall(r"/act/(cancel[a-z-]*)/\"", client.get(card_of(visit)).text)
    assert list(dict.fromkeys(buttons)) == ["cancel-waived", "cancel-charged", "cancel"]
    press(client, visit, "cancel-waived")
    assert chips_of(visit) == ["canceled late", "late fee waived"]
    assert {"undo", "fee-charged", "fee-undo"} <= acts_on(client.get(card_of(visit)))
    press(client, visit, "undo")
    assert Appointment.objects.values_list("status", "late_fee").get() == ("booked", "")


def test_cancellation_in_time_has_no_fee(client, owner, visit, clock):
    clock.move_to(NOW + HOUR)
    assert {act for act in acts_on(client.get(card_of(visit))) if act.startswith("cancel")} == {"cancel"}


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ("/admin/", True),
        ("/admin/booking/appointment/?when=all#visit-1", True),
        ("", False),
        ("/book/", False),
        ("//elsewhere.example/admin/", False),
        ("/admin/../book/", False),
        ("/admin/\\elsewhere.example", False),
        ("https://elsewhere.example/admin/", False),
        ("javascript:alert(1)//admin/", False),
        ("/admin/" + "x" * 500, False),
        ("/admin/\nSet-Cookie: a=b", False),
    ],
)
def test_page_to_return_to_is_a_page_of_the_admin(client, owner, visit, sent, is_kept):
    assert bool(local_back(sent)) == is_kept
    answer = press(client, visit, "arrived", next=sent)
    change = reverse("admin:booking_appointment_change", args=[visit.pk])
    assert answer.status_code == 303
    assert answer["Location"].startswith("/admin/") and (is_kept or answer["Location"] == change)


def test_card_leads_back_to_the_page_it_was_opened_from(client, owner, visit):
    back = "/admin/booking/appointment/?when=all"
    page = client.get(card_of(visit, next=back))
    assert f'href="{back}"' in page.text
    own = re.search(r'name="next" value="([^"]+)"', page.text)[1]
    answer = press(client, visit, "arrived", back="card", next=own)
    assert (answer.status_code, answer["Location"]) == (303, card_of(visit, next=back))
    assert "elsewhere" not in client.get(card_of(visit, next="https://elsewhere.example/")).text


@pytest.mark.parametrize("back", ["today", "card"])
def test_htmx_swaps_the_row_or_the_card(client, owner, visit, back):
    page = press(client, visit, "start", headers=HTMX, back=back)
    assert page.status_code == 200 and page.text.count(f'id="visit-{visit.pk}"') == 1
    assert "<html" not in page.text and "undo-start" in acts_on(page)
    assert list(client.get("/admin/").context["messages"]) == [], "what is shown in place is not said again"


def test_htmx_shows_what_a_canceled_patient_is_told(client, owner, visit):
    page = press(client, visit, "cancel", headers=HTMX, back="card")
    assert page.text.count('class="row-note is-done" role="status"') == 1 and visit.reference in page.text


@pytest.mark.parametrize("back", ["today", "card"])
def test_htmx_shows_a_refusal_in_place_with_the_visit_as_it_is_now(client, owner, visit, back, front_desk):
    stale = visit.shown
    mark_started(appointment=visit, by=front_desk, now=DURING)
    page = press(client, visit, "no-show", headers=HTMX, back=back, version=stale)
    assert REFUSALS[VisitChanged] in text_of(page) and "undo-start" in acts_on(page)
    assert 'role="alert"' in page.text


def test_htmx_gets_the_card_alone_and_signed_out_reloads_the_page(client, owner, visit):
    page = client.get(card_of(visit), headers=HTMX)
    assert "<html" not in page.text and "HX-Request" in page["Vary"]
    client.logout()
    answer = client.get(card_of(visit), headers=HTMX, follow=True)
    assert (answer["HX-Refresh"], answer.text) == ("true", "")


def test_chips_tell_since_when(visit, meredith, charlie, front_desk):
    say_here(appointment=visit, now=NINE_ON_TUESDAY - 4 * MINUTE)
    assert chips_of(visit) == ["waiting since 8:56 AM"]
    mark_arrived(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY)
    assert chips_of(visit) == ["waiting since 8:56 AM"]
    mark_started(appointment=visit, by=front_desk, now=NINE_ON_TUESDAY + 2 * MINUTE)
    assert chips_of(visit) == ["with Meredith since 9:02 AM"]
    meredith.user = charlie
    meredith.save()
    assert chips_of(visit, by=charlie) == ["with me since 9:02 AM"]
    later = Appointment.objects.get()
    assert [chip.text for chip in status_chips(later, zone=Clinic.objects.current().zone, now=visit.ends_at + HOUR)]


def test_buttons_are_those_that_the_rules_allow(visit, charlie, front_desk):
    clinic, now = Clinic.objects.current(), NOW
    assert mark_buttons(visit, by=charlie, clinic=clinic, now=now) == []
    assert cancel_buttons(visit, by=charlie, clinic=clinic, now=now).with_fee == []
    row = mark_buttons(visit, by=charlie, clinic=clinic, now=DURING, is_row=True)
    full = mark_buttons(visit, by=charlie, clinic=clinic, now=DURING)
    assert [one.name for one in row] == ["arrived", "start", "no-show"]
    assert [one.name for one in full] == [name for name in MARKS if not name.startswith("undo")]
    assert fee_buttons(visit, clinic=clinic) == []
    missed = mark_no_show(appointment=visit, by=front_desk, now=DURING)
    assert [one.name for one in fee_buttons(missed, clinic=clinic)] == ["fee-waived", "fee-charged"]
    assert cancel_buttons(missed, by=charlie, clinic=clinic, now=DURING) is None


def test_card_costs_the_same_however_long_the_patients_record_is(
    client, owner, visit, evaluation, django_assert_max_num_queries
):
    def count() -> int:
        with django_assert_max_num_queries(30) as queries:
            assert client.get(card_of(visit)).status_code == 200
        return len(queries)

    before = count()
    for number in range(1, 30):
        book(evaluation, starts_at=NINE_ON_TUESDAY + timedelta(days=7 * (number // 4), hours=(0, 1, 4, 5)[number % 4]))
    assert count() == before
