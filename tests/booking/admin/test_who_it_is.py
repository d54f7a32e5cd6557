"""Staff book for a patient: they find the patient, or are asked once whether it is a known patient."""

import uuid

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from booking.models import Appointment
from clinic.audit.models import AccessEvent
from clinic.practice.models import Patient
from clinic.practice.people.duplicates import find_possible_duplicates
from clinic.practice.people.patients import find_or_register_patient, find_or_register_provisional
from tests.world import NOW

pytestmark = pytest.mark.django_db
BOOK = "admin:booking_appointment_add"


@pytest.fixture(autouse=True)
def _monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client, front_desk):
    front_desk.is_superuser = True
    front_desk.save()
    client.force_login(front_desk)
    return client


@pytest.fixture
def maya(db):
    return find_or_register_patient(
        name="Maya Lindqvist", email="maya@example.com", phone="+16035550199", time_zone="", now=NOW
    )


def typed(service, **changes):
    return {
        "service": service.pk,
        "therapist": service.therapists.first().pk,
        "starts_at": "2026-12-01T09:00",
        "mode": service.offered_modes[0],
        "name": "",
        "email": "",
        "phone": "",
        "idempotency_key": uuid.uuid4(),
    } | changes


def test_visit_by_phone_needs_a_number_to_call(owner, call, maya):
    form = typed(call, mode="phone", name="Bob Caller", email="bob@example.com")
    refused = owner.post(reverse(BOOK), form)
    assert "phone" in refused.context["form"].errors and not Appointment.objects.exists()
    assert owner.post(reverse(BOOK), form | {"patient": maya.pk}).status_code == 303
    assert Appointment.objects.get().number_to_call == maya.phone


@pytest.mark.parametrize("words", ["lindqvist maya", "(603) 555-0199", "maya@example.com", "MAYA"])
def test_patient_is_found_chosen_and_booked_without_a_script(owner, evaluation, maya, words):
    form = typed(evaluation)
    page = owner.post(reverse(BOOK), form | {"find": words, "look_up": "1"})
    html = page.content.decode()
    assert page.status_code == 200 and "1 found" in html and f'value="{maya.pk}"' in html
    assert "maya@example.com, (603) 555-0199" in html and 'value="2026-12-01T09:00"' in html
    assert not Appointment.objects.exists()
    assert owner.post(reverse(BOOK), form | {"patient": str(maya.pk)}).status_code == 303
    visit = Appointment.objects.get()
    assert (visit.patient, visit.other_phone, Patient.objects.count()) == (maya, "", 1)


def test_search_without_a_result_says_so_and_keeps_what_was_typed(owner, evaluation, maya):
    html = owner.post(reverse(BOOK), typed(evaluation, name="Bob", find="bobby", look_up="1")).content.decode()
    assert "“bobby”" in html
    assert 'value="Bob"' in html and 'type="radio"' not in html


def test_staff_who_may_not_see_patients_are_shown_none(client, front_desk, evaluation, maya):
    front_desk.user_permissions.set(Permission.objects.filter(codename__in=["add_appointment", "view_appointment"]))
    client.force_login(front_desk)
    html = client.post(reverse(BOOK), typed(evaluation, find="maya", look_up="1")).content.decode()
    assert "maya@example.com" not in html and 'name="find"' not in html
    client.post(reverse(BOOK), typed(evaluation, name="Maya Lindqvist", email="other@example.com"))
    assert Appointment.objects.get().patient != maya


ALIKE = [
    ({"name": "maya lindqvist", "email": "other@example.com"}, ("same name",)),
    ({"name": "Maya  Lindqvíst"}, ("same name",)),
    ({"name": "Lindqvist, Maya"}, ("same name",)),
    ({"name": "Lindqvist Maya"}, ("similar name",)),
    ({"name": "MAYA LINDQVIST", "email": "maya+runs@example.com"}, ("same name",)),
    ({"name": "Maya Lindqvist", "phone": "+16035550199"}, ("same name", "same phone")),
    ({"name": "Tom Berg", "email": "MAYA@example.com"}, ("same email",)),
    ({"name": "Tom Berg", "phone": "+16035550199;ext=3"}, ("same phone",)),
]


def reads_of(patient) -> int:
    return AccessEvent.objects.filter(action="R", patient_ids=[patient.pk], object_type="practice.patient").count()


def test_patients_whom_the_booking_page_shows_are_recorded_as_read(owner, evaluation, maya):
    other = find_or_register_patient(name="Tom Berg", email="tom@example.com", phone="", now=NOW)
    owner.get(reverse(BOOK))
    assert reads_of(maya) == 0
    owner.post(reverse(BOOK), typed(evaluation) | {"find": "lindqvist", "look_up": "1"})
    assert reads_of(maya) == 1
    owner.post(reverse(BOOK), typed(evaluation, name="Maya Lindqvist", email="new@example.com"))
    assert reads_of(maya) == 2 and reads_of(other) == 0


@pytest.mark.parametrize(("who", "why"), ALIKE)
def test_patients_who_may_be_the_same_are_named_with_the_reason(maya, who, why):
    [found] = find_possible_duplicates(**{"email": "", "phone": ""} | who)
    assert (found.patient, found.why) == (maya, why)
    assert find_possible_duplicates(**{"email": "", "phone": ""} | who, besides=maya) == []


@pytest.mark.parametrize("name", ["Maya", "Lindqvist", "Maya Lind", "Ann Lindqvist", "Ay Li"])
def test_less_similar_patients_are_not_named(maya, name):
    assert find_possible_duplicates(name=name, email="", phone="") == []


def test_seven_spellings_of_one_name_and_address_are_one_patient(owner, evaluation, maya):
    spellings = [
        "maya lindqvist",
        "Maya  Lindqvist",
        "Lindqvist, Maya",
        "MAYA LINDQVIST",
        "Máya Lindqvïst",
        "maya lindqvist.",
    ]
    for spelling in spellings:
        assert find_or_register_patient(name=spelling, email="Maya@EXAMPLE.com", phone="", now=NOW) == maya
    visitor = [
        find_or_register_provisional(name=one, email="maya@example.com", phone="", now=NOW).pk for one in spellings
    ]
    assert len(set(visitor)) == 1
    other = find_or_register_patient(name="Maya Lindqvist", email="maya+runs@example.com", phone="", now=NOW)
    assert other != maya, "an address with a tag is another mailbox for all we know"
    assert find_or_register_patient(name="Moore, Jr.", email="m@x.example", phone="", now=NOW).name_key == "moore jr"


def test_form_asks_staff_once_whether_a_patient_is_a_known_one(owner, evaluation, maya):
    form = typed(evaluation, name="Maya Lindqvist", email="new@example.com")
    page = owner.post(reverse(BOOK), form)
    assert page.status_code == 200 and page.context["form"].errors.keys() == {"patient"}
    assert "(same name)" in page.content.decode()
    assert owner.post(reverse(BOOK), form | {"patient": "new"}).status_code == 303
    assert Appointment.objects.get().patient.email == "new@example.com"


def test_family_with_one_phone_and_mailbox_is_not_asked_about(owner, evaluation, maya):
    form = typed(evaluation, name="Tom Lindqvist", email="maya@example.com", phone="603 555 0199")
    assert owner.post(reverse(BOOK), form).status_code == 303
    assert Appointment.objects.get().patient.name == "Tom Lindqvist"


@pytest.mark.parametrize("patient", ["", "x", "7e6af162-de48-497e-b0d2-0d153d06f39a", "\x00", "new"])
def test_odd_choice_is_refused_or_ignored(owner, evaluation, maya, patient):
    page = owner.post(reverse(BOOK), typed(evaluation, patient=patient))
    assert page.status_code == 200 and not Appointment.objects.exists()


def test_patients_page_names_possible_duplicates(owner, maya):
    twin = find_or_register_patient(name="Lindqvist, Maya", email="", phone="+16035550142", now=NOW)
    page = owner.get(reverse("admin:practice_patient_change", args=[maya.pk])).content.decode()
    assert f'{reverse("admin:practice_patient_change", args=[twin.pk])}">Lindqvist, Maya</a> (same name)' in page


def test_adding_a_patient_asks_once_about_one_like_them(owner, maya):
    url = reverse("admin:practice_patient_add")
    form = {"name": "maya lindqvist", "email": "", "phone": "", "time_zone": "", "birth_on": ""}
    page = owner.post(url, form)
    html = page.content.decode()
    assert page.status_code == 200 and "We may know" in html
    assert f'<a href="{reverse("admin:practice_patient_change", args=[maya.pk])}">Maya Lindqvist</a>' in html
    assert owner.post(url, form | {"is_another_person": "on"}).status_code == 302
    assert Patient.objects.count() == 2


def test_search_for_similar_patients_runs_one_query_for_one_and_for_thirty(maya, django_assert_num_queries):
    for count in (1, 30):
        for number in range(count):
            find_or_register_patient(name="Maya Lindqvist", email=f"{number}@{count}.example", phone="", now=NOW)
        with django_assert_num_queries(1):
            assert find_possible_duplicates(name="Maya Lindqvist", email="", phone="")
