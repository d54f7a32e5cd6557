"""Garbage in the URL or the fields of an admin page is rejected with a page, never with a 500."""

import logging

import pytest
import time_machine
from django.contrib import admin
from django.urls import reverse

from clinic.practice.models import User
from tests.clinic.admin_house import furnish
from tests.garbage import HARMFUL
from tests.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.long]
OFTEN_SHORT = ["", "\x00", "x", "0", "-1", "13", "9999", "1e999", "9" * 5000, "99999999999999999999", "9999-12-31"]
OF_EVERY_LIST = ["p", "o", "q", "e", "all", "_facets", "_popup", "_to_field", "searched", "_changelist_filters", "id"]


@pytest.fixture
def owner_client(client):
    client.raise_request_exception = False
    logging.disable(logging.CRITICAL)
    with time_machine.travel(NOON, tick=False):
        rows = furnish()
        client.force_login(User.objects.get(name="Olga Owner"))
        client.rows = rows
        yield client
    logging.disable(logging.NOTSET)


def lists():
    return [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry]


def parameters_of(changelist) -> set[str]:
    """Return the query parameters that the filters and links of a list use."""
    names = {name for spec in changelist.filter_specs for name in spec.expected_parameters() if name}
    day = changelist.date_hierarchy
    return names | ({f"{day}__{part}" for part in ("year", "month", "day", "gte")} if day else set())


def broken(client, address, names, values) -> list[str]:
    return [
        f"{address}?{name}={value[:20]!r}"
        for name in names
        for value in values
        if client.get(address, {name: value}).status_code >= 500
    ]


def test_every_filter_of_every_list_handles_garbage(owner_client):
    faults = []
    for name in lists():
        address = reverse(name)
        shown = owner_client.get(address, follow=True)
        if shown.context and "cl" in shown.context:
            faults += broken(owner_client, address, parameters_of(shown.context["cl"]), OFTEN_SHORT)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ["booking_appointment", "education_topic"])
def test_every_query_parameter_of_every_list_handles_garbage(owner_client, name):
    faults = broken(owner_client, reverse(f"admin:{name}_changelist"), OF_EVERY_LIST, OFTEN_SHORT)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        ("31", "12", "9999"),
        ("1", "1", "1"),
        ("29", "2", "2026"),
        ("0", "0", "0"),
        ("1", "13", "2026"),
        ("", "12", "9999"),
        ("", "", "9" * 40),
    ],
)
def test_date_filter_handles_days_at_the_ends_of_the_calendar(owner_client, day, month, year):
    given = {"starts_at__day": day, "starts_at__month": month, "starts_at__year": year}
    asked = {name: value for name, value in given.items() if value}
    for model in ("appointment", "hoursoverride"):
        assert owner_client.get(reverse(f"admin:booking_{model}_changelist"), asked).status_code < 500


def test_every_detail_page_handles_an_invalid_id(owner_client):
    faults = []
    for model in admin.site._registry:
        for page in ("change", "delete", "history"):
            for value in ("\x00", "x", "9" * 400, "99999999999999999999", "-1", "_00", "_zz"):
                address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[value])
                if owner_client.get(address).status_code >= 500:
                    faults.append(f"{address[:60]!r}")
    assert not faults, "\n".join(faults)


def test_every_form_handles_garbage(owner_client):
    """Fill all fields at once."""
    faults = []
    for address in forms(owner_client):
        page = owner_client.get(address)
        names = [field.html_name for field in fields_of(page)]
        for value in HARMFUL:
            answer = owner_client.post(address, dict.fromkeys(names, value))
            if answer.status_code >= 500:
                faults.append(f"{address}: all fields {value[:20]!r}")
    assert not faults, "\n".join(faults)


def forms(client) -> list[str]:
    addresses = [reverse("admin:assessments_questionnaire_upload")]
    addresses.append(reverse("admin:booking_appointment_move", args=[client.rows["booking.appointment"]]))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for address in (reverse(f"{name}_add"), reverse(f"{name}_change", args=[client.rows[model._meta.label_lower]])):
            if client.get(address).status_code == 200 and fields_of(client.get(address)):
                addresses.append(address)
    return addresses


def fields_of(page) -> list:
    form = page.context.get("form") or getattr(page.context.get("adminform"), "form", None)
    return list(form) if form is not None else []
