"""The form with which staff book for a caller: what fills it in, what it keeps, the times that fit, and what is sent."""

import re
import uuid
from datetime import date

import pytest
import time_machine
from django.urls import reverse

from booking.models import Appointment
from booking.schedule.errors import NotOfferedBecause
from clinic.audit.models import AccessEvent
from clinic.outbox.models import Message
from clinic.practice.models import Patient, Role
from tests.factories import CallFactory, PatientFactory, UserFactory
from tests.world import EVERY_RULE, HOUR, NINE_ON_TUESDAY, NOW, book, make_therapist

pytestmark = pytest.mark.django_db
ADD = "/admin/booking/appointment/add/"
USE_TIME = re.compile(r'name="use_time" value="([^"]+)"')


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(client, clinic):
    """The front desk, signed in."""
    client.force_login(UserFactory(name="Sam Desk", roles=[Role.FRONT_DESK]))
    return client


def typed(service, **changes):
    return {
        "service": str(service.pk),
        "therapist": str(service.therapists.first().pk),
        "starts_at": "2026-12-01T09:00",
        "name": "",
        "email": "",
        "phone": "",
        "idempotency_key": str(uuid.uuid4()),
    } | changes


@pytest.mark.parametrize(
    "query",
    [
        {"service": "x"},
        {"therapist": "7e6af162-de48-497e-b0d2-0d153d06f39a"},
        {"starts_at": "soon"},
        {"starts_at": "9999-12-31T09:00"},
        {"starts_at": "2027-03-14T02:30"},
        {"patient": "x"},
        {"name": "Maya", "find": "maya", "phone": "603 555 0142"},
    ],
)
def test_garbage_and_patient_data_in_the_address_are_ignored(desk, evaluation, query):
    form = desk.get(ADD, query).context["form"]
    assert not form.is_bound and form.initial == {}


def test_patient_in_the_address_is_not_shown(desk, evaluation, alice):
    page = desk.get(ADD, {"patient": alice.pk, "service": evaluation.pk})
    assert alice.email not in page.text and not AccessEvent.objects.filter(patient_ids=[alice.pk]).exists()


def test_page_of_a_patient_books_for_them_by_post(desk, evaluation, alice):
    page = desk.get(reverse("admin:practice_patient_change", args=[alice.pk])).text
    assert f'action="{ADD}"' in page and f'name="patient" value="{alice.pk}"' in page
    form = desk.post(ADD, {"patient": alice.pk, "look_up": "1"}).context["form"]
    assert form.offered == [alice] and form["patient"].value() == str(alice.pk)
    assert desk.post(ADD, typed(evaluation, patient=alice.pk)).status_code == 303
    assert Appointment.objects.get().patient == alice


@pytest.mark.parametrize(
    "text", ["0199", "(603) 555 0199", "+1 603 555-0199", "3/14/1988", "March 14, 1988", "runner al"]
)
def test_caller_is_found_by_part_of_name_phone_or_birth_date(desk, evaluation, alice, text):
    Patient.objects.update(birth_on=date(1988, 3, 14))
    PatientFactory(name="Bob Walker", phone="+16035550102")
    form = desk.post(ADD, typed(evaluation, find=text, look_up="1")).context["form"]
    assert form.offered == [alice]


def test_search_keeps_the_choice_and_the_time_and_books_nothing(desk, evaluation, alice, bob):
    sent = typed(evaluation, patient=alice.pk, guardian_name="Greta Walker", find="walker", look_up="1")
    page = desk.post(ADD, sent)
    form = page.context["form"]
    assert form.offered == [alice, bob] and form["patient"].value() == str(alice.pk)
    assert 'value="Greta Walker"' in page.text and 'value="2026-12-01T09:00"' in page.text
    assert not Appointment.objects.exists()


def test_button_that_books_looks_up_what_was_only_typed_into_the_search(desk, evaluation, alice):
    form = desk.post(ADD, typed(evaluation, find="runner")).context["form"]
    assert form.offered == [alice] and not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("text", "name", "phone"),
    [("Zed Newman", "Zed Newman", None), ("603 555 0177", None, "(603) 555-0177"), ("0177", None, None)],
)
def test_unknown_caller_becomes_a_new_patient_without_typing_again(desk, evaluation, text, name, phone):
    form = desk.post(ADD, typed(evaluation, find=text, look_up="1")).context["form"]
    assert (form["name"].value() or None, form["phone"].value() or None) == (name, phone)
    assert form.is_new_shown


def test_number_of_a_search_without_a_result_does_not_replace_that_of_a_patient_found_next(desk, evaluation, alice):
    first = desk.post(ADD, typed(evaluation, find="603 555 0177", look_up="1")).context["form"]
    sent = {name: first[name].value() for name in ("phone", "phone_searched")}
    second = desk.post(ADD, typed(evaluation, find="runner", look_up="1", **sent)).context["form"]
    assert (second.offered, second["phone"].value()) == ([alice], "")
    own = desk.post(ADD, typed(evaluation, find="runner", look_up="1", phone="603 555 0178")).context["form"]
    assert own["phone"].value() == "603 555 0178", "typed by staff: the new number of this patient"
    kept = desk.post(ADD, typed(evaluation, patient=alice.pk, find="603 555 0177", look_up="1")).context["form"]
    assert not kept["phone"].value()


def test_name_and_phone_are_enough_for_a_new_patient_and_staff_read_that_nothing_was_sent(desk, evaluation):
    done = desk.post(ADD, typed(evaluation, name="Zed Newman", phone="603 555 0177"), follow=True)
    visit = Appointment.objects.get()
    assert (visit.patient.name, visit.patient.email, visit.mode) == ("Zed Newman", "", "in_person")
    [message] = done.context["messages"]
    assert visit.reference in str(message) and "call (603) 555-0177" in str(message)
    assert reverse("admin:booking_appointment_find") in str(message) and "day=2026-12-01" in str(message)
    assert done.redirect_chain == [(reverse("admin:booking_appointment_change", args=[visit.pk]), 303)]


@pytest.mark.parametrize("who", ["chosen", "typed"])
@pytest.mark.parametrize("is_replaced", [True, False])
def test_another_number_replaces_the_one_on_file_only_if_staff_say_so(desk, evaluation, alice, who, is_replaced):
    on_file = alice.phone
    patient = {"patient": alice.pk} if who == "chosen" else {"name": alice.name, "email": alice.email}
    sent = typed(evaluation, phone="603 555 0177", replace_phone="on", **patient)
    asked = desk.post(ADD, sent)
    form = asked.context["form"]
    assert form.errors.keys() == {"replace_phone"} and not Appointment.objects.exists()
    assert "Replace (603) 555-0199 by (603) 555-0177" in asked.text
    assert not re.search(r'type="checkbox" name="replace_phone"[^>]* checked', asked.text)
    assert form.is_new_shown, "the checkbox is in the part that is open"
    answer = sent | {"phone_asked": form["phone_asked"].value(), "replace_phone": "on" if is_replaced else ""}
    assert desk.post(ADD, answer).status_code == 303
    alice.refresh_from_db()
    visit = Appointment.objects.get()
    expected = ("+16035550177", "") if is_replaced else (on_file, "+16035550177")
    assert (visit.patient, alice.phone, visit.other_phone) == (alice, *expected)


def test_answer_about_one_number_is_not_an_answer_about_another(desk, evaluation, alice):
    sent = typed(evaluation, patient=alice.pk, phone="603 555 0177")
    shown = desk.post(ADD, sent).context["form"]["phone_asked"].value()
    other = sent | {"phone": "603 555 0178", "phone_asked": shown, "replace_phone": "on"}
    assert desk.post(ADD, other).context["form"].errors.keys() == {"replace_phone"}


@pytest.mark.parametrize("phone", ["", "(603) 555-0199"])
def test_nothing_is_asked_about_the_number_on_file(desk, evaluation, alice, phone):
    assert desk.post(ADD, typed(evaluation, patient=alice.pk, phone=phone)).status_code == 303


def test_missing_number_is_filled_in_without_a_question(desk, evaluation, alice):
    Patient.objects.update(phone="")
    assert desk.post(ADD, typed(evaluation, patient=alice.pk, phone="603 555 0177")).status_code == 303
    alice.refresh_from_db()
    assert alice.phone == "+16035550177"


def test_patient_with_an_address_is_told_by_email(desk, evaluation, alice):
    done = desk.post(ADD, typed(evaluation, patient=alice.pk), follow=True)
    assert "told by email" in str(next(iter(done.context["messages"])))
    assert Message.objects.filter(kind="booking_booked", patient=alice).exists()


def test_service_with_several_modes_asks_how_to_meet(desk, evaluation):
    evaluation.offered_modes = ["in_person", "video"]
    evaluation.save()
    page = desk.post(ADD, typed(evaluation, name="Zed Newman", phone="603 555 0177"))
    assert page.context["form"].errors.keys() == {"mode"}
    sent = typed(evaluation, name="Zed Newman", phone="603 555 0177", mode="video")
    assert desk.post(ADD, sent).status_code == 303


def test_only_times_that_fit_the_service_are_listed(desk, evaluation, meredith):
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    call = CallFactory(therapists=[meredith])
    for service, first in ((evaluation, ["09:00", "11:00"]), (call, ["09:00", "09:15"])):
        page = desk.post(ADD, typed(service, look_up="1")).text
        assert [value[11:16] for value in USE_TIME.findall(page)[:2]] == first


def test_listed_time_replaces_the_typed_one_and_keeps_the_rest(desk, evaluation):
    nora = make_therapist("Nora", position=1)
    sent = typed(evaluation, name="Zed Newman", despite_rules="on", rules_shown="hours", past_asked="x")
    form = desk.post(ADD, sent | {"use_time": f"2026-12-01T11:00 {nora.pk}"}).context["form"]
    assert (form.given_start, form.given_therapist) == (NINE_ON_TUESDAY + 2 * HOUR, nora)
    assert form["name"].value() == "Zed Newman" and not form["despite_rules"].value()
    for garbage in ("x", "2026-12-01T25:00 x", "", f" {nora.pk} {nora.pk}"):
        form = desk.post(ADD, sent | {"use_time": garbage}).context["form"]
        assert form["starts_at"].value() == "2026-12-01T09:00"


def test_overlap_is_refused_whatever_is_confirmed_and_the_nearest_times_are_offered(desk, evaluation):
    book(evaluation, starts_at=NINE_ON_TUESDAY + HOUR)
    sent = typed(evaluation, name="Zed Newman", phone="603 555 0177", starts_at="2026-12-01T10:30")
    page = desk.post(ADD, sent | {"despite_rules": "on", "rules_shown": " ".join(NotOfferedBecause)})
    assert page.context["form"].errors.keys() == {"starts_at"}
    assert [value[:16] for value in USE_TIME.findall(page.text)[:2]] == ["2026-12-01T09:00", "2026-12-01T11:00"]
    assert 'value="Zed Newman"' in page.text and Appointment.objects.count() == 1


def test_overlap_is_found_before_a_rule_is_asked_about(desk, evaluation, owner):
    book(evaluation, starts_at=NINE_ON_TUESDAY - 2 * HOUR, despite_rules=EVERY_RULE, by=owner)
    page = desk.post(ADD, typed(evaluation, name="Zed Newman", phone="603 555 0177", starts_at="2026-12-01T07:15"))
    assert page.context["form"].errors.keys() == {"starts_at"} and not page.context["form"].broken_rules


def test_rule_broken_since_the_page_was_shown_is_asked_again(desk, evaluation, alice, owner):
    nora = make_therapist("Nora", position=1)
    evaluation.therapists.add(nora)
    sent = typed(evaluation, patient=alice.pk, starts_at="2026-12-01T07:00", therapist=nora.pk)
    sent |= {"despite_rules": "on", "rules_shown": "hours"}
    own = {"patient": alice, "by": owner, "starts_at": NINE_ON_TUESDAY - 2 * HOUR}
    book(evaluation, **own, despite_rules=EVERY_RULE)
    form = desk.post(ADD, sent).context["form"]
    assert form["rules_shown"].value() == "hours own_visit" and not form["despite_rules"].value()
    assert Appointment.objects.count() == 1
    assert desk.post(ADD, sent | {"rules_shown": "hours own_visit"}).status_code == 303


def test_form_opens_with_the_rules_that_its_time_breaks_and_books_at_the_first_press(desk, evaluation, meredith):
    query = {"service": evaluation.pk, "therapist": meredith.pk, "starts_at": "2026-12-01T07:00"}
    page = desk.get(ADD, query)
    assert 'type="checkbox" name="despite_rules"' in page.text and "outside the opening hours" in page.text
    assert page.text.count('name="rules_shown"') == page.text.count('name="despite_rules"') == 1
    shown = page.context["form"]["rules_shown"].value()
    sent = typed(evaluation, name="Zed Newman", phone="603 555 0177", starts_at="2026-12-01T07:00")
    assert desk.post(ADD, sent | {"despite_rules": "on", "rules_shown": shown}).status_code == 303


def test_rules_are_shown_again_when_the_time_or_the_service_changes(desk, evaluation):
    part = desk.post(ADD, typed(evaluation, times="1", starts_at="2026-12-01T07:00"))
    assert 'id="rules" data-hx-swap-oob="true"' in part.text and "outside the opening hours" in part.text
    part = desk.post(ADD, typed(evaluation, times="1"))
    assert "outside the opening hours" not in part.text and 'type="checkbox" name="despite_rules"' not in part.text


def test_confirmed_rules_stay_confirmed_while_something_else_is_corrected(desk, evaluation):
    sent = typed(evaluation, starts_at="2026-12-01T07:00", despite_rules="on", rules_shown="hours")
    page = desk.post(ADD, sent)
    assert page.context["form"].errors.keys() == {"name"}
    assert re.search(r'type="checkbox" name="despite_rules"[^>]* checked', page.text)
    assert "outside the opening hours" in page.text


def test_notice_of_visitors_is_a_note_for_staff(desk, evaluation, meredith):
    today = {"starts_at": "2026-11-23T11:00"}
    query = {"service": evaluation.pk, "therapist": meredith.pk, **today}
    sent = typed(evaluation, name="Zed Newman", phone="603 555 0177", **today)
    for page in (desk.get(ADD, query), desk.post(ADD, sent | {"times": "1"})):
        assert "sooner than patients can book" in page.text
        assert 'type="checkbox" name="despite_rules"' not in page.text
    assert desk.post(ADD, sent).status_code == 303
    assert Appointment.objects.get().off_schedule_accepted == []


def test_only_rules_that_were_shown_are_confirmed(desk, evaluation):
    sent = typed(evaluation, name="Zed Newman", phone="603 555 0177", starts_at="2027-09-07T07:00")
    asked = desk.post(ADD, sent)
    assert asked.context["form"]["rules_shown"].value() == "horizon hours"
    fewer = desk.post(ADD, sent | {"despite_rules": "on", "rules_shown": "horizon"})
    assert fewer.status_code == 200 and not Appointment.objects.exists()
    assert not re.search(r'name="despite_rules"[^>]* checked', fewer.text)
    assert desk.post(ADD, sent | {"despite_rules": "on", "rules_shown": "horizon hours"}).status_code == 303


def test_times_are_loaded_again_without_patients_when_the_service_changes(desk, evaluation, alice):
    part = desk.post(ADD, typed(evaluation, times="1", patient=alice.pk, find="runner"))
    assert part.status_code == 200 and "<html" not in part.text and USE_TIME.search(part.text)
    assert alice.email not in part.text
    assert 'id="how"' in part.text


def test_front_desk_may_book_and_those_without_the_permission_may_not(desk, client, evaluation):
    assert desk.get(ADD).status_code == 200
    for role in (Role.EDITOR, Role.AUDITOR):
        client.force_login(UserFactory(roles=[role]))
        for sent in ({}, typed(evaluation, times="1"), typed(evaluation, find="a", look_up="1")):
            assert client.post(ADD, sent).status_code == 403
        assert client.get(ADD).status_code == 403


def test_search_on_the_form_costs_the_same_for_one_patient_and_for_thirty(
    desk, evaluation, alice, django_assert_max_num_queries
):
    def count() -> int:
        with django_assert_max_num_queries(40) as queries:
            assert desk.post(ADD, typed(evaluation, find="runner", look_up="1")).context["form"].offered
        return len(queries)

    before = count()
    PatientFactory.create_batch(29, name="Alice Runner")
    for number in range(8):
        therapist = make_therapist(f"Nora{number}", position=number)
        evaluation.therapists.add(therapist)
        book(evaluation, therapist=therapist, name=f"Bob {number}")
    assert count() == before
