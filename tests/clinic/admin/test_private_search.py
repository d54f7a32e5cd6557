"""Searching for patients by name in the admin, without a name in any URL."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic.audit.admin import SEARCHES_KEPT, PrivateSearch
from clinic.audit.searching import LONGEST_SEARCH
from clinic.practice.models import Patient, User
from clinic.practice.people.patients import find_or_register_patient
from tests.garbage import GARBAGE

pytestmark = pytest.mark.django_db
PATIENTS, AUTOCOMPLETE = "/admin/practice/patient/", "/admin/autocomplete/"


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


def test_patients_are_found_and_the_url_holds_no_name(owner_client, patients):
    found = owner_client.post(PATIENTS, {"q": " moore "})
    assert found.status_code == 303 and "moore" not in found["Location"].lower()
    page = owner_client.get(found["Location"])
    assert names_on(page) == ["Alice Moore", "Carol Moore"]
    html = page.content.decode()
    assert 'value="moore"' in html, "the search terms stay in the field"
    assert "moore" not in "".join(part.split('"')[0] for part in html.split('href="')[1:]).lower()
    assert names_on(owner_client.get(PATIENTS)) == ["Alice Moore", "Bob Walker", "Carol Moore"]


def test_two_searches_are_kept_side_by_side_and_old_ones_are_deleted(owner_client, patients):
    moore = owner_client.post(PATIENTS, {"q": "moore"})["Location"]
    walker = owner_client.post(PATIENTS, {"q": "walker"})["Location"]
    assert names_on(owner_client.get(moore)) == ["Alice Moore", "Carol Moore"]
    assert names_on(owner_client.get(walker)) == ["Bob Walker"]
    for number in range(SEARCHES_KEPT):
        owner_client.post(PATIENTS, {"q": f"nobody{number}"})
    assert len(owner_client.session["searches"]) == SEARCHES_KEPT
    assert len(names_on(owner_client.get(moore))) == 3


def test_filters_are_kept_and_an_empty_search_shows_all(owner_client, patients):
    visits = "/admin/booking/appointment/?status__exact=booked&p=2"
    assert owner_client.post(visits, {"q": "moore"})["Location"].startswith(
        "/admin/booking/appointment/?status__exact=booked&searched="
    )
    assert owner_client.post(PATIENTS, {"q": " "})["Location"] == f"{PATIENTS}?"


def test_query_string_is_ignored_as_a_search(owner_client, patients):
    assert len(names_on(owner_client.get(f"{PATIENTS}?q=moore"))) == 3


def test_search_is_refused_without_the_permission_to_view(client, patients):
    client.force_login(User.objects.create_user("frank@clinic.example", name="Frank", roles=["editor"]))
    assert client.post(PATIENTS, {"q": "moore"}).status_code == 403
    assert "searches" not in client.session


@pytest.mark.parametrize("typed", ["mo\x00ore", "\x00", "moore\x00\x1b[2J", "\x85moore", "moore\r\nBcc: x"])
def test_control_characters_are_not_searched(owner_client, patients, typed):
    found = owner_client.post(PATIENTS, {"q": typed})
    assert found.status_code == 303
    assert owner_client.get(found["Location"]).status_code == 200
    assert not any(ord(one) < 32 for words in owner_client.session.get("searches", {}).values() for one in words)


@pytest.mark.parametrize("stuck", ["moore\x00", "\ud800moore", " moore\x07 "])
def test_search_with_control_characters_in_a_session_is_cleaned(owner_client, patients, stuck):
    session = owner_client.session
    session["searches"] = {"abcd": stuck}
    session.save()
    page = owner_client.get(f"{PATIENTS}?searched=abcd")
    assert names_on(page) == ["Alice Moore", "Carol Moore"]


def test_long_search_is_truncated(owner_client, patients):
    found = owner_client.post(PATIENTS, {"q": "moore " * 5000})
    assert owner_client.get(found["Location"]).status_code == 200
    assert len(*owner_client.session["searches"].values()) <= LONGEST_SEARCH


# Autocomplete fields


def ask(client, **changes):
    asked = {"term": "moore", "app_label": "booking", "model_name": "waitlistentry", "field_name": "patient"}
    return client.post(AUTOCOMPLETE, asked | changes)


def texts(response) -> list[str]:
    return [one["text"] for one in response.json()["results"]]


def test_autocomplete_searches_by_post_only(owner_client, patients):
    assert texts(ask(owner_client)) == ["Alice Moore", "Carol Moore"]
    query = {"app_label": "booking", "model_name": "waitlistentry", "field_name": "patient"}
    for address in (query | {"term": "moore"}, query):
        refused = owner_client.get(AUTOCOMPLETE, address)
        assert refused.status_code == 405
        assert names_on(refused) == []


def test_autocomplete_shows_patients_only_with_the_permission_to_view_them(client, patients):
    frank = User.objects.create_user("frank@clinic.example", name="Frank")
    frank.user_permissions.set(Permission.objects.filter(codename__in=["add_waitlistentry", "view_waitlistentry"]))
    client.force_login(frank)
    assert ask(client).status_code == 403
    frank.user_permissions.add(Permission.objects.get(codename="view_patient"))
    assert texts(ask(client)) == ["Alice Moore", "Carol Moore"]
    client.logout()
    assert "/login/" in ask(client)["Location"]


def test_autocomplete_requires_the_csrf_token(patients):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("owner@clinic.example", name="Olive"))
    assert ask(client).status_code == 403


def test_autocomplete_is_paginated(owner_client):
    for number in range(25):
        find_or_register_patient(name=f"Moore {number}", email=f"m{number}@example.com", phone="", now=timezone.now())
    first = ask(owner_client).json()
    assert (len(first["results"]), first["pagination"]["more"]) == (20, True)
    assert len(texts(ask(owner_client, page="2"))) == 5


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", ["term", "page", "app_label", "model_name", "field_name"])
def test_autocomplete_handles_garbage(owner_client, patients, name, garbage):
    assert ask(owner_client, **{name: garbage}).status_code in (200, 403, 404)


@pytest.mark.filterwarnings("error::django.core.paginator.UnorderedObjectListWarning")
@pytest.mark.long
def test_autocomplete_handles_every_field_of_every_model(owner_client, patients):
    for model in apps.get_models():
        for field in model._meta.get_fields():
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
            response = ask(owner_client, **asked, field_name=field.name)
            assert response.status_code in (200, 403, 404), (model, field)


def test_every_searchable_list_is_private():
    searched = {model: one for model, one in admin.site._registry.items() if one.search_fields}
    assert Patient in searched and len(searched) >= 10
    assert [model for model, one in searched.items() if not isinstance(one, PrivateSearch)] == []
    assert reverse("admin:practice_patient_changelist") == PATIENTS
