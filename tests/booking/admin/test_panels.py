"""The panels of a visit's page in the admin, and the article a patient came from."""

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from clinic.practice.registry.panels import Page, panels_of
from tests.factories import UserFactory
from tests.patient_record import AFTER, make_record
from tests.world import book

PANELS = [*panels_of(Page.BEFORE_VISIT), *panels_of(Page.AFTER_VISIT)]


@pytest.fixture
def visit(evaluation, alice, charlie, write_article):
    visit = make_record(alice, service=evaluation, staff=charlie)
    visit.source_article = write_article("sore-hip")
    visit.save()
    with time_machine.travel(AFTER, tick=False):
        yield visit


def sign_in(client, *rights):
    user = UserFactory()
    user.user_permissions.set(Permission.objects.filter(codename__in=[right.partition(".")[2] for right in rights]))
    client.force_login(user)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.slug)
def test_panel_is_shown_only_with_its_permission(client, visit, panel):
    page = reverse("admin:booking_appointment_change", args=[visit.pk])
    others = {one.permission for one in PANELS} - {panel.permission}
    sign_in(client, "booking.view_appointment", *others)
    assert f"field-{panel.slug}" not in client.get(page).content.decode()
    sign_in(client, "booking.view_appointment", panel.permission)
    assert f"field-{panel.slug}" in client.get(page).content.decode()


def test_panels_name_existing_permissions(db):
    rights = {
        f"{one.content_type.app_label}.{one.codename}" for one in Permission.objects.select_related("content_type")
    }
    assert {panel.permission for page in Page for panel in panels_of(page)} <= rights


@pytest.mark.parametrize("is_permitted", [True, False])
def test_article_a_patient_came_from_is_shown_and_filtered_by_only_with_its_permission(client, visit, is_permitted):
    rights = ("booking.view_source_article",) if is_permitted else ()
    sign_in(client, "booking.view_appointment", *rights)
    visits = reverse("admin:booking_appointment_changelist")
    listed = client.get(visits, {"when": "all"}).content.decode()
    opened = client.get(reverse("admin:booking_appointment_change", args=[visit.pk])).content.decode()
    assert ("Sore hip" in listed) == ("Sore hip" in opened) == is_permitted
    for query in ({"source_article": visit.source_article_id}, {"source_article__isnull": "False"}):
        found = client.get(visits, {"when": "all", **query})
        assert (found.status_code == 200) == is_permitted


def test_refused_filter_does_not_tell_which_visits_have_an_article(client, evaluation, visit):
    sign_in(client, "booking.view_appointment")
    visits = reverse("admin:booking_appointment_changelist")
    book(evaluation, name="Bob Walker", starts_at=AFTER.replace(hour=15))
    answers = {
        client.get(visits, {"when": "all", "source_article__isnull": value}).status_code for value in ("True", "False")
    }
    assert len(answers) == 1 and answers != {200}
