"""Who has seen a patient, and which reads were unusual."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from booking.models import HoursOverride, OpeningHours
from booking.staff.after_hours import AROUND, find_after_hours
from clinic.audit.models import AccessEvent, Action, Who
from clinic.audit.reports.sentences import describe_event
from clinic.audit.reports.unusual import MANY_OPENED, MANY_SHOWN, find_unusual
from clinic.practice.models import Patient, Role
from tests.factories import ClinicFactory, PatientFactory, TherapistFactory, UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def ada():
    return UserFactory(name="Ada Audit", roles=[Role.AUDITOR])


@pytest.fixture
def nora():
    return UserFactory(name="Nora Ellis", roles=[Role.THERAPIST])


def write(actor=None, patients=(), **fields):
    who = Who.STAFF if actor else Who.LINK
    standard = {"who": who, "roles": "therapist" if actor else "", "action": Action.READ, "at": NOON}
    return AccessEvent.objects.create(
        actor=actor, patient_ids=[getattr(one, "pk", one) for one in patients], **{**standard, **fields}
    )


def open_page(actor, patient, at=NOON):
    return write(
        actor,
        [patient],
        page="admin:practice_patient_change",
        object_type="practice.patient",
        object_id=str(patient.pk),
        at=at,
    )


# Sentences


@pytest.mark.parametrize(
    ("page", "action", "subject", "deed"),
    [
        ("admin:booking_appointment_change", "R", "booking.appointment", "opened the visit page"),
        ("admin:practice_patient_changelist", "R", "practice.patient", "opened the list of patients"),
        ("admin:practice_patient_history", "R", "practice.patient", "opened the history of the patient"),
        ("admin:assessments_response_export", "R", "assessments.response", "exported the intake"),
        ("admin:index", "R", "", "opened Today"),
        ("admin:audit_accessevent_patient", "R", "audit.accessevent", "opened the list of who has seen the patient"),
        ("admin:autocomplete", "R", "", "looked up patients by name"),
        ("admin:practice_patient_change", "U", "practice.patient", "changed the patient"),
        ("", "R", "assessments.response", "read the intake"),
        ("admin:booking_appointment_act", "E", "", "used “act” of the visit"),
        ("admin:gone_model_change", "R", "", "opened the page “gone model change”"),
    ],
)
def test_line_of_staff_is_a_sentence_with_role_and_page(nora, page, action, subject, deed):
    event = write(nora, page=page, action=action, object_type=subject)
    assert describe_event(event) == f"Nora Ellis, therapist, {deed}"


@pytest.mark.parametrize("who", ["", *(one for one in Who.values if one != Who.STAFF)])
def test_line_without_a_member_of_staff_says_who_it_was(who):
    event = write(who=who, page="booking:not_coming", action="E")
    assert "“not coming”" in describe_event(event)
    assert not describe_event(event).startswith("None")


# Who has seen this patient


def patient_page(patient, **query):
    return reverse("admin:audit_accessevent_patient", args=[patient.pk], query=query)


def test_page_lists_who_saw_the_patient_newest_first_with_role_and_network(client, ada, nora, alice, bob):
    open_page(nora, alice)
    write(nora, [alice, bob], page="admin:practice_patient_changelist", at=NOON + HOUR, network="192.0.2.0/24")
    open_page(nora, bob, at=NOON + 2 * HOUR)
    client.force_login(ada)
    page = client.get(patient_page(alice))
    shown = [(event.page, event.network) for event, _ in page.context["lines"]]
    assert shown == [
        ("admin:practice_patient_changelist", "192.0.2.0/24"),
        ("admin:practice_patient_change", ""),
    ]
    assert page.text.count("Nora Ellis, therapist,") == 2
    assert alice.name not in page.text and "192.0.2.0/24" in page.text


def test_page_includes_what_was_seen_before_the_record_was_merged(client, ada, nora, alice, bob):
    open_page(nora, bob)
    client.force_login(ada)
    path = reverse("admin:audit_accessevent_patient", args=[alice.pk])
    assert "Nora Ellis" not in client.get(path).content.decode()
    Patient.objects.filter(pk=bob.pk).update(merged_into=alice)
    assert "Nora Ellis" in client.get(path).content.decode()


def test_page_is_itself_a_line(client, ada, alice):
    client.force_login(ada)
    assert client.get(patient_page(alice)).context["lines"] == []
    event = AccessEvent.objects.get()
    assert (event.actor, event.patient_ids, event.page) == (ada, [alice.pk], "admin:audit_accessevent_patient")


def test_page_has_pages(client, ada, nora, alice):
    for minutes in range(60):
        open_page(nora, alice, at=NOON + timedelta(minutes=minutes))
    client.force_login(ada)
    first = client.get(patient_page(alice))
    assert len(first.context["lines"]) == 50 and "?page=2" in first.text
    assert len(client.get(patient_page(alice, page=2)).context["lines"]) == 11  # with the line of the first page
    assert client.get(patient_page(alice, page="x")).status_code == 200


def test_page_of_an_unknown_patient_is_empty(client, ada):
    client.force_login(ada)
    unknown = reverse("admin:audit_accessevent_patient", args=[uuid.uuid4()])
    assert client.get(unknown).context["lines"] == []


def test_reports_are_refused_without_the_permission(client, alice):
    client.force_login(UserFactory(name="Theo Strong", roles=[Role.EDITOR, Role.THERAPIST, Role.FRONT_DESK]))
    assert client.get(patient_page(alice)).status_code == 403
    assert client.get(reverse("admin:audit_accessevent_unusual")).status_code == 403
    assert not AccessEvent.objects.exists()


def test_page_of_a_patient_links_to_the_report_with_the_permission(client, alice):
    user = UserFactory(roles=[Role.FRONT_DESK])
    client.force_login(user)
    page = reverse("admin:practice_patient_change", args=[alice.pk])
    assert patient_page(alice) not in client.get(page).text
    user.user_permissions.add(Permission.objects.get(codename="view_accessevent"))
    assert patient_page(alice) in client.get(page).text


@pytest.mark.parametrize("name", ["patient", "unusual"])
def test_report_costs_the_same_queries_at_one_and_thirty_lines(
    client, ada, nora, alice, name, django_assert_max_num_queries
):
    page = patient_page(alice) if name == "patient" else reverse("admin:audit_accessevent_unusual")
    PatientFactory(name=nora.name)

    def count_queries():
        with django_assert_max_num_queries(40) as queries:
            client.get(page)
        return len(queries)

    with time_machine.travel(NOON + HOUR, tick=False):
        client.force_login(ada)
        open_page(nora, alice)
        client.get(page)
        before = count_queries()
        for _ in range(29):
            open_page(UserFactory(name=nora.name), alice)
        assert count_queries() == before


# The audit log


def test_log_is_searched_by_patient_through_the_array(client, ada, nora, alice, bob):
    write(nora, [alice, bob], page="admin:index")
    open_page(nora, bob)
    client.force_login(ada)
    listing = reverse("admin:audit_accessevent_changelist")

    def found(text):
        return client.get(client.post(listing, {"q": text})["Location"]).context["cl"].result_count

    assert [found(str(alice.pk)), found(str(bob.pk)), found("x"), found("")] == [1, 2, 0, 2]
    assert client.get(f"{listing}?who__exact=staff").context["cl"].result_count == 2


# Unusual access


def reasons(now=NOON + HOUR):
    return [(one.name, one.why) for one in find_unusual(zone=ClinicFactory.build().zone, now=now)]


def test_many_patients_opened_in_one_hour_are_listed(nora, db):
    people = PatientFactory.create_batch(MANY_OPENED + 1)
    for patient in people[:MANY_OPENED]:
        open_page(nora, patient)
        open_page(nora, patient)  # the same patient twice counts once
    assert reasons() == []
    open_page(nora, people[-1])
    [(name, why)] = reasons()
    assert name == "Nora Ellis" and str(MANY_OPENED + 1) in why


def test_many_patients_in_lists_of_one_hour_are_listed(nora):
    write(nora, [uuid.uuid4() for _ in range(MANY_SHOWN)], object_type="practice.patient")
    assert reasons() == []
    write(nora, [uuid.uuid4()], object_type="practice.patient")
    [(_, why)] = reasons()
    assert str(MANY_SHOWN + 1) in why


def test_patients_of_two_hours_are_not_added_up(nora):
    for hours in range(2):
        write(nora, [uuid.uuid4() for _ in range(MANY_SHOWN)], at=NOON - hours * HOUR)
    assert reasons() == []


@pytest.mark.parametrize("same", [{"name": "ELLIS, Nora"}, {"email": "Nora@Clinic.example"}])
def test_own_record_is_listed_by_name_and_by_address(nora, bob, same):
    nora.email = "nora@clinic.example"
    nora.save()
    own = PatientFactory(**{"name": "Zoe Other", **same})
    open_page(nora, bob)
    write(nora, [own], object_type="practice.patient")  # in a list
    assert reasons() == []
    open_page(nora, own)
    assert [name for name, _ in reasons()] == ["Nora Ellis"]


def test_reads_outside_opening_hours_are_listed_once_a_day(nora, alice):
    ClinicFactory()
    OpeningHours.objects.create(therapist=TherapistFactory(), weekday=1, opens="08:00", closes="17:00")  # NOON's day
    for minutes in (-30, 30, 90):  # midnight in UTC lies between
        open_page(nora, alice, at=NOON + 7 * HOUR + timedelta(minutes=minutes))
    open_page(nora, alice, at=NOON)
    [(name, why)] = reasons(now=NOON + 20 * HOUR)
    assert name == "Nora Ellis" and " 3 pages" in why


def test_reads_before_the_last_thirty_days_are_not_listed(nora):
    write(nora, [uuid.uuid4() for _ in range(MANY_SHOWN + 1)], at=NOON - timedelta(days=31))
    assert reasons() == []


def test_empty_report_says_so(client, ada):
    client.force_login(ada)
    page = client.get(reverse("admin:audit_accessevent_unusual"))
    assert page.context["found"] == [] and "Nothing unusual" in page.text


# Opening hours, in the clinic's zone (NOON is a Tuesday)


def test_opening_hours_have_an_hour_around_them_in_the_clinics_zone(db):
    ClinicFactory(time_zone="America/New_York")
    OpeningHours.objects.create(therapist=TherapistFactory(), weekday=1, opens="08:00", closes="17:00")
    eight, five = NOON - 4 * HOUR, NOON + 5 * HOUR
    inside = [eight, five, NOON, eight - AROUND, five + AROUND]
    outside = [eight - AROUND - timedelta(minutes=1), five + AROUND + timedelta(minutes=1), NOON + 24 * HOUR]
    assert find_after_hours(inside + outside) == set(outside)


def test_extra_hours_are_open_and_a_clinic_without_hours_is_never_closed(db):
    ClinicFactory()
    assert find_after_hours([NOON]) == set()
    OpeningHours.objects.create(therapist=TherapistFactory(), weekday=3, opens="08:00", closes="17:00")
    assert find_after_hours([NOON]) == {NOON}
    HoursOverride.objects.create(kind="extra", starts_at=NOON - HOUR, ends_at=NOON + HOUR)
    assert find_after_hours([NOON]) == set()
