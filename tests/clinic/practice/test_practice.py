"""The clinic and its people: constraints, matching of patients, template filters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.template import Context, Template
from django.test import RequestFactory

from clinic.audit.models import AccessEvent
from clinic.practice.context import clinic as clinic_context
from clinic.practice.models import Clinic, Patient, User
from clinic.practice.people.patients import find_or_register_patient
from tests.factories import ClinicFactory, PatientFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db


def register(**changes):
    alice = {"name": "Alice Moore", "email": "alice@example.com", "phone": "+16035550123", "time_zone": "", "now": NOON}
    return find_or_register_patient(**{**alice, **changes})


# The clinic


def test_clinic_has_defaults_when_no_row_exists():
    assert Clinic.objects.current().zone.key == "America/New_York"
    assert not Clinic.objects.exists()


def test_second_clinic_is_refused():
    ClinicFactory()
    with pytest.raises(IntegrityError, match="clinic_is_one_row"):
        ClinicFactory(id=2)


@pytest.mark.parametrize(
    ("constraint", "wrong"),
    [
        ("clinic_phone_is_e164", {"phone": "603 555 0100"}),
        ("clinic_horizon_is_a_day_to_a_year", {"horizon_days": 0}),
        ("clinic_coordinates_are_valid", {"latitude": Decimal(91), "longitude": Decimal(0)}),
        ("clinic_coordinates_are_valid", {"latitude": Decimal(43)}),
    ],
)
def test_database_refuses_an_inconsistent_clinic(constraint, wrong):
    with pytest.raises(IntegrityError, match=constraint):
        ClinicFactory(**wrong)


def test_clinic_is_invalid_when_its_zone_does_not_exist():
    with pytest.raises(ValidationError, match="time zone"):
        ClinicFactory.build(time_zone="America/Concord").full_clean()


def test_clinic_costs_one_query_when_a_page_uses_it_often_and_none_when_it_does_not(django_assert_num_queries):
    ClinicFactory()
    page = Template("{{ clinic.city }} {{ emergency_number }} {{ clinic.city }}")
    request = RequestFactory().get("/")

    with django_assert_num_queries(1):
        assert page.render(Context(clinic_context(request))) == "Laconia 911 Laconia"
    with django_assert_num_queries(0):
        Template("Hello").render(Context(clinic_context(request)))


# Staff


def test_staff_log_in_when_they_type_their_address_in_uppercase():
    User.objects.create_user("Tess@Clinic.example", "a long enough secret", name="Tess Walker")

    assert authenticate(username="TESS@clinic.example", password="a long enough secret").name == "Tess Walker"


def test_second_account_is_refused_when_only_the_letter_case_differs():
    User.objects.create_user("tess@clinic.example", name="Tess Walker")
    with pytest.raises(IntegrityError, match="user_email_is_lower_case"):
        User.objects.create(email="Tess@clinic.example", name="Tess Walker")


# Patients


def test_patient_is_the_same_person_when_name_and_email_differ_only_in_case_and_spaces():
    alice = register()

    assert register(name=" ALICE   moore", email="Alice@Example.COM") == alice
    assert register(name="Ame\u0301lie", email="a@example.com") == register(name="Amélie", email="a@example.com")


def test_patient_is_another_person_when_only_the_email_is_shared():
    assert register(name="Bob Moore") != register(name="Alice Moore")


def test_phone_is_replaced_by_a_verified_newer_one_and_never_by_an_empty_one():
    alice = register()
    assert register(phone="", may_update=True).phone == "+16035550123"

    register(phone="+16035550199", time_zone="America/Denver", may_update=True)

    alice.refresh_from_db()
    assert (alice.phone, alice.time_zone) == ("+16035550199", "America/Denver")
    assert list(AccessEvent.objects.order_by("id").values_list("action", flat=True)) == ["C", "U"]


def test_known_patients_phone_is_unchanged_when_the_new_one_is_not_verified():
    alice = register()

    assert register(phone="+16035550199").phone == alice.phone == "+16035550123"
    assert AccessEvent.objects.count() == 1


def test_phone_is_filled_in_when_there_was_none():
    register(phone="")

    assert register(phone="+16035550199").phone == "+16035550199"


def test_zone_is_empty_when_the_browser_sent_an_invalid_one():
    assert register(time_zone="Mars/Olympus").time_zone == ""


@pytest.mark.parametrize(
    ("constraint", "wrong"),
    [
        ("patient_email_and_name_are_one_person", {"name": "alice MOORE", "email": "ALICE@example.com"}),
        ("patient_phone_is_e164", {"phone": "555-0123"}),
        ("patient_has_a_name", {"name": ""}),
    ],
)
def test_database_refuses_an_inconsistent_patient(constraint, wrong):
    register()
    with pytest.raises(IntegrityError, match=constraint):
        PatientFactory(**wrong)


@pytest.mark.django_db(transaction=True)
def test_patient_is_registered_once_when_eight_forms_arrive_at_the_same_time():
    def submit(_):
        try:
            return register().pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(submit, range(8)))

    assert len(ids) == 1
    assert Patient.objects.count() == 1


# Template filters


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ at|clinic_time }}", "Tue, Dec 1, 12:00 PM"),
        ("{{ at|clinic_time:clinic }}", "Tue, Dec 1, 12:00 PM"),
        ("{{ midnight|clinic_time }}", "Tue, Dec 1, 12:00 AM"),
        ("{{ phone|phone_link }}", '<a href="tel:+16035550123">(603) 555-0123</a>'),
        ("{{ none|phone_link }}", ""),
        ("{{ 0|money }} {{ 15000|money }} {{ 8750|money }} {{ 123456|money }}", "Free $150 $87.50 $1,234.56"),
        (
            "{{ 15|minutes }}, {{ 60|minutes }}, {{ 61|minutes }}, {{ 150|minutes }}",
            "15 minutes, 1 hour, 1 hour 1 minute, 2 hours 30 minutes",
        ),
    ],
)
def test_template_filter_formats_its_value(source, text):
    context = {
        "at": NOON,
        "midnight": datetime(2026, 12, 1, 5, tzinfo=UTC),
        "phone": "+16035550123",
        "clinic": ClinicFactory(),
    }
    assert Template("{% load practice_tags %}" + source).render(Context(context)) == text


def test_clinic_time_shows_the_clock_change():
    before = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    render = Template("{% load practice_tags %}{{ a|clinic_time:clinic }} / {{ b|clinic_time:clinic }}").render

    both = render(Context({"a": before, "b": before + timedelta(hours=2), "clinic": ClinicFactory.build()}))
    assert both == "Sun, Nov 1, 1:30 AM / Sun, Nov 1, 2:30 AM"
