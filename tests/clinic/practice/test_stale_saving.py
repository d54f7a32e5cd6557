"""Two people edit the same row in the admin. The later save shows the earlier change before it replaces it."""

import pytest
from django.contrib import admin
from django.db import models
from django.test import RequestFactory
from django.urls import reverse

from booking.models import Service
from clinic.outbox.models import MessageRule
from clinic.practice.models import Clinic, Therapist
from clinic.practice.saving.stale_saving import RefusesStaleSaves
from education.models import Article, Topic
from tests.factories import ClinicFactory, PatientFactory, TherapistFactory, UserFactory

pytestmark = pytest.mark.django_db
REFUSED = "someone else saved this page while you had it open"


def make_service() -> Service:
    service = Service.objects.create(slug="call", name="Call", summary="A call.", minutes=15, price_cents=1000)
    service.therapists.add(TherapistFactory(name="Nora"))
    return service


def make_rule() -> MessageRule:
    words = {"subject": "Your visit", "text": "See you soon."}
    return MessageRule.objects.create(kind="booking_reminder_48h", minutes=2880, **words)


ROWS = {
    "service": (make_service, "summary"),
    "therapist": (lambda: TherapistFactory(bio="Runs."), "bio"),
    "clinic": (lambda: ClinicFactory(directions="Left."), "directions"),
    "message rule": (make_rule, "subject"),
    "topic": (lambda: Topic.objects.create(name="Hip", slug="hip", summary="Hips."), "summary"),
    "patient": (lambda: PatientFactory(), "name"),
    "user": (lambda: UserFactory(), "name"),
}


def address_of(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def open_form(client, row) -> dict:
    """Return what a browser would send if nothing were typed."""
    form = client.get(address_of(row)).context["adminform"].form
    return sent_by(form)


def sent_by(form) -> dict:
    data = {}
    for field in form:
        value = field.value()
        if isinstance(value, list | tuple):
            data[field.html_name] = [getattr(one, "pk", one) for one in value]
        elif value is True:
            data[field.html_name] = "on"
        elif value is not None and value is not False:
            data[field.html_name] = field.field.prepare_value(value)
    return data


@pytest.mark.parametrize("kind", ROWS)
def test_later_save_is_refused_once_when_another_person_changed_the_row(client, owner, kind):
    make, field = ROWS[kind]
    row = make()
    first, second = open_form(client, row), open_form(client, row)
    assert client.post(address_of(row), first | {field: "Words of Ann"}).status_code == 302

    answer = client.post(address_of(row), second | {field: "Words of Bob"})
    page = answer.content.decode()
    row.refresh_from_db()
    assert answer.status_code == 200
    assert getattr(row, field) == "Words of Ann"
    assert REFUSED in page and "<td>Words of Ann</td><td>Words of Bob</td>" in page
    assert page.count("<td>Words of Ann</td>") == 1  # no other field is named

    again = client.post(address_of(row), sent_by(answer.context["adminform"].form))
    row.refresh_from_db()
    assert (again.status_code, getattr(row, field)) == (302, "Words of Bob")


def test_save_goes_through_when_both_typed_the_same_or_nothing_changed(client, owner):
    row = make_service()
    first, second = open_form(client, row), open_form(client, row)
    for form in (first, second):
        assert client.post(address_of(row), form | {"summary": "The same."}).status_code == 302
    assert client.post(address_of(row), open_form(client, row) | {"summary": "Other."}).status_code == 302


def test_values_are_compared_as_the_form_shows_them(client, owner):
    row = make_service()
    mia = TherapistFactory(name="Mia")
    form = open_form(client, row)
    Service.objects.update(price_cents=12550, is_first_late_free=not row.is_first_late_free, purpose="evaluation")
    row.therapists.add(mia)
    page = client.post(address_of(row), form).content.decode()
    table = page[page.index("<tbody>") : page.index("</table>")]
    assert "Price ($)</th><td>125.50</td><td>10</td>" in table.replace("10.00", "10")
    assert "Mia" in table and "Nora" in table
    assert "<td>evaluation: a first visit</td><td>other</td>" in table
    assert str(mia.pk) not in table and "12550" not in table


@pytest.mark.parametrize("seen", ["", "x", "[]", "[1]", '{"summary": 7}', "[" * 5000])
def test_invalid_digest_is_no_server_error(client, owner, seen):
    row = make_service()
    assert client.post(address_of(row), open_form(client, row) | {"seen": seen}).status_code in (200, 302)


def test_texts_of_others_are_escaped(client, owner):
    row = make_service()
    form = open_form(client, row)
    Service.objects.update(summary="<script>alert(1)</script>")
    assert "<script>alert" not in client.post(address_of(row), form | {"summary": "<b>"}).content.decode()


def test_history_names_no_hidden_field(client, owner):
    row = TherapistFactory()
    client.post(address_of(row), open_form(client, row) | {"bio": "Runs."})
    assert "Seen" not in client.get(f"/admin/practice/therapist/{row.pk}/history/").content.decode()


def test_every_form_that_changes_a_row_refuses_stale_saves(owner):
    request = RequestFactory().get("/admin/")
    request.user = owner
    own = {Article}  # has its own line-by-line comparison
    unguarded = [
        model
        for model, page in admin.site._registry.items()
        if page.has_change_permission(request, model()) and not isinstance(page, RefusesStaleSaves)
    ]
    assert set(unguarded) == own
    assert not any(page.inlines for page in admin.site._registry.values())
    assert isinstance(admin.site.get_model_admin(Clinic), RefusesStaleSaves)
    assert isinstance(admin.site.get_model_admin(Therapist), RefusesStaleSaves)
