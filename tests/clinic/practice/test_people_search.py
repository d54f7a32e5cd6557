"""Staff find people by name in any spelling, by phone number as shown, by email address, or by date of birth."""

from datetime import date

import pytest
from django.db import connection
from django.urls import reverse

from clinic.practice.models import Patient, User
from clinic.practice.people.patients import find_or_register_patient
from clinic.practice.people.search import filter_people, split_search
from tests.factories import PatientFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db
PEOPLE = [
    ("Zoë Müller", "zoe.m@example.com", "+16035550199"),
    ("Maya Lindqvist-O’Brien", "maya2026@faß.de", "+442079460018"),
    ("Søren Łuczak", "s_l%@example.com", "+16035550142;ext=12"),
    ("李小龍", "", "+390669812345"),
]
FINDS = [
    ("muller", "Zoë Müller"), ("MÜLLER", "Zoë Müller"), ("Mu\u0308ller", "Zoë Müller"), ("müller zoe", "Zoë Müller"),
    ("Müller, Zoë", "Zoë Müller"), ("zoe mul", "Zoë Müller"), ("zoe.m", "Zoë Müller"), ("Zoe.M@Example.com", "Zoë Müller"),
    ("(603) 555-0199", "Zoë Müller"), ("603 555 0199", "Zoë Müller"), ("603-555-0199", "Zoë Müller"),
    ("6035550199", "Zoë Müller"), ("+1 (603) 555-0199", "Zoë Müller"), ("1.603.555.0199", "Zoë Müller"),
    ("+16035550199", "Zoë Müller"), ("555-0199", "Zoë Müller"), ("0199", "Zoë Müller"), ("zoe 555 0199", "Zoë Müller"),
    ("001 603 555 0199", "Zoë Müller"), ("lindqvist", "Maya Lindqvist-O’Brien"), ("obrien", "Maya Lindqvist-O’Brien"),
    ("o'brien", "Maya Lindqvist-O’Brien"), ("O’Brien Maya", "Maya Lindqvist-O’Brien"),
    ("lindqvist-obrien", "Maya Lindqvist-O’Brien"), ("maya2026", "Maya Lindqvist-O’Brien"),
    ("maya2026@faß.de", "Maya Lindqvist-O’Brien"), ("maya2026@xn--fa-hia.de", "Maya Lindqvist-O’Brien"),
    ("020 7946 0018", "Maya Lindqvist-O’Brien"), ("+44 20 7946 0018", "Maya Lindqvist-O’Brien"),
    ("+44 (0)20 7946 0018", "Maya Lindqvist-O’Brien"), ("0044 20 7946 0018", "Maya Lindqvist-O’Brien"),
    ("soren", "Søren Łuczak"), ("luczak", "Søren Łuczak"), ("SØREN ŁUCZAK", "Søren Łuczak"), ("s_l%", "Søren Łuczak"),
    ("603–555‑0199", "Zoë Müller"), ("tel:+16035550199", "Zoë Müller"), ("603 555-0199, zoe", "Zoë Müller"), ("+1 603 555 019", "Zoë Müller"),
    ("(603) 555-0142 ext. 12", "Søren Łuczak"), ("603 555 0142 x12", "Søren Łuczak"), ("603 555 0142", "Søren Łuczak"),
    ("小龍", "李小龍"), ("06 698 12345", "李小龍"), ("0199, 603", "Zoë Müller"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _people():
    for name, email, phone in PEOPLE:
        find_or_register_patient(name=name, email=email, phone=phone, now=NOON)


@pytest.fixture
def owner(client):
    client.force_login(User.objects.create_superuser("owner@clinic.example", name="Olive"))
    return client


@pytest.mark.parametrize(("words", "name"), FINDS)
def test_patient_is_found_by_any_spelling(words, name):
    assert [found.name for found in filter_people(Patient.objects.all(), words)] == [name]


@pytest.mark.parametrize("words", ["miller", "zoe lindqvist", "603 555 0100", "s-l%", "zoe 0142", "0" * 50])
def test_search_finds_no_patient_when_no_name_or_number_matches(words):
    assert not filter_people(Patient.objects.all(), words).exists()


def test_numbers_are_distinguished_from_names():
    assert split_search("maya 603 555-0199 RC-7K3M9Q a2@b.de") == ([["6035550199"]], ["maya", "RC-7K3M9Q", "a2@b.de"])


BIRTHS = [
    "3/14/1988",
    "03/14/88",
    "3-14-1988",
    "3.14.1988",
    "1988-03-14",
    "March 14, 1988",
    "mar 14 1988",
    "14 Mar 1988",
]


@pytest.mark.parametrize("words", [*BIRTHS, "zoe 3/14/1988", "3/14/1988, (603) 555-0199", "March 14th, 1988 muller"])
def test_patient_is_found_by_any_spelling_of_the_birth_date(words):
    Patient.objects.filter(name="Zoë Müller").update(birth_on=date(1988, 3, 14))
    Patient.objects.filter(name="李小龍").update(birth_on=date(1988, 3, 15))
    assert [found.name for found in filter_people(Patient.objects.all(), words, finds_births=True)] == ["Zoë Müller"]
    assert not filter_people(Patient.objects.all(), words).exists(), "only where the date of birth may be seen"


@pytest.mark.parametrize("words", ["3/15/1988", "luczak 3/14/1988", "13/13/1988", "2/30/1988", "3/14/2088"])
def test_search_finds_no_patient_with_another_birth_date(words):
    Patient.objects.filter(name="Zoë Müller").update(birth_on=date(1988, 3, 14))
    assert not filter_people(Patient.objects.all(), words, finds_births=True).exists()


def test_birth_date_finds_in_the_list_of_patients_and_in_no_other(owner):
    Patient.objects.filter(name="Zoë Müller").update(birth_on=date(1988, 3, 14))
    for name in LISTS:
        listed = owner.post(reverse(f"admin:{name}_changelist"), {"q": "March 14, 1988"})["Location"]
        assert ("Zoë Müller" in owner.get(listed).content.decode()) == (name == "practice_patient")


@pytest.mark.parametrize("words", ["(603) 555-0199", "muller"])
def test_search_of_ten_thousand_patients_uses_an_index(words):
    rows = [PatientFactory.build(name=f"Runner Number{n}", phone=f"+1603{2000000 + n}") for n in range(10_000)]
    Patient.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('patient_search')")  # as vacuum does
        cursor.execute("ANALYZE practice_patient")
    found = filter_people(Patient.objects.order_by(), words)
    assert "patient_search" in found.explain() and found.count() == 1


LISTS = ("practice_patient", "booking_appointment", "booking_waitlistentry", "outbox_message", "assessments_response")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("words", ["(603) 555-0199", "müller", "x" * 200, "%_\\'\"", "1 " * 90, "+", "()", "٣٤"])
def test_every_list_handles_any_search(owner, name, words):
    found = owner.post(reverse(f"admin:{name}_changelist"), {"q": words})
    assert found.status_code == 303 and "0199" not in found["Location"] and "ller" not in found["Location"]
    assert owner.get(found["Location"]).status_code == 200


def test_patients_list_costs_the_same_queries_for_one_row_and_for_thirty(owner, django_assert_max_num_queries):
    url = owner.post(reverse("admin:practice_patient_changelist"), {"q": "moore"})["Location"]
    PatientFactory(name="Alice Moore")
    with django_assert_max_num_queries(100) as one:
        owner.get(url)
    PatientFactory.create_batch(29, name="Alice Moore")
    with django_assert_max_num_queries(len(one)):
        assert owner.get(url).content.decode().count("Alice Moore") == 30
