"""Staff find people by name, and no address ever holds one."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from clinic.audit.admin import SEARCHES_KEPT, PrivateSearch
from clinic.practice.models import Patient, User
from clinic.practice.patients import find_or_register_patient

pytestmark = pytest.mark.django_db
PATIENTS = "/admin/practice/patient/"


@pytest.fixture
def owner_client(client):
    client.force_login(User.objects.create_superuser("owner@clinic.example", name="Olive"))
    return client


@pytest.fixture
def patients(db):
    for name in ("Alice Moore", "Bob Walker", "Carol Moore"):
        find_or_register_patient(name=name, email=f"{name[:3].lower()}@example.com", phone="", now=timezone.now())


def names_on(page) -> list[str]:
    return [name for name in ("Alice Moore", "Bob Walker", "Carol Moore") if name in page.content.decode()]


def test_people_are_found_by_words_that_no_address_holds(owner_client, patients):
    found = owner_client.post(PATIENTS, {"q": " moore "})
    assert found.status_code == 303 and "moore" not in found["Location"].lower()
    page = owner_client.get(found["Location"])
    assert names_on(page) == ["Alice Moore", "Carol Moore"]
    html = page.content.decode()
    assert 'value="moore"' in html, "the words stand in the field"
    assert "moore" not in "".join(part.split('"')[0] for part in html.split('href="')[1:]).lower()
    assert names_on(owner_client.get(PATIENTS)) == ["Alice Moore", "Bob Walker", "Carol Moore"]


def test_two_searches_stand_beside_each_other_and_old_ones_are_forgotten(owner_client, patients):
    moore = owner_client.post(PATIENTS, {"q": "moore"})["Location"]
    walker = owner_client.post(PATIENTS, {"q": "walker"})["Location"]
    assert names_on(owner_client.get(moore)) == ["Alice Moore", "Carol Moore"]
    assert names_on(owner_client.get(walker)) == ["Bob Walker"]
    for number in range(SEARCHES_KEPT):
        owner_client.post(PATIENTS, {"q": f"nobody{number}"})
    assert len(owner_client.session["searches"]) == SEARCHES_KEPT
    assert len(names_on(owner_client.get(moore))) == 3


def test_filters_stay_and_an_empty_search_shows_all(owner_client, patients):
    visits = "/admin/booking/appointment/?status__exact=booked&p=2"
    assert owner_client.post(visits, {"q": "moore"})["Location"].startswith(
        "/admin/booking/appointment/?status__exact=booked&searched="
    )
    assert owner_client.post(PATIENTS, {"q": " "})["Location"] == f"{PATIENTS}?"


def test_words_in_the_address_search_nothing(owner_client, patients):
    assert len(names_on(owner_client.get(f"{PATIENTS}?q=moore"))) == 3


def test_searching_needs_the_right_to_look(client, patients):
    client.force_login(User.objects.create_user("frank@clinic.example", name="Frank", is_staff=True))
    assert client.post(PATIENTS, {"q": "moore"}).status_code == 403
    assert "searches" not in client.session


def test_every_list_that_is_searched_by_people_is_private():
    searched = {
        model: model_admin
        for model, model_admin in admin.site._registry.items()
        if model is Patient
        or any(
            field.startswith(("patient__name", "patient__email", "address", "phone"))
            for field in model_admin.search_fields
        )
    }
    assert len(searched) >= 6
    assert all(isinstance(model_admin, PrivateSearch) for model_admin in searched.values())
    assert reverse("admin:practice_patient_changelist") == PATIENTS
