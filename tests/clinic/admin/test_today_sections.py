"""Today shows what the rooms registered, each section only with its permissions."""

from dataclasses import replace

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.template.loader import get_template

from clinic.practice.models import Clinic, User
from clinic.practice.registry.rights import may_see
from clinic.practice.registry.today import Section, read_today, sections
from tests.factories import UserFactory
from tests.patient_record import make_record
from tests.sources import ROOT
from tests.world import HOUR, NINE_ON_TUESDAY, book

EIGHT = NINE_ON_TUESDAY - HOUR


def unread(**kwargs):
    raise AssertionError("read without the permission")


@pytest.mark.parametrize("number", range(len(sections())))
def test_section_is_neither_read_nor_shown_without_its_permissions(clinic, monkeypatch, number):
    section = sections()[number]
    guarded = [replace(one, read=unread) if one.permissions else one for one in sections()]
    monkeypatch.setattr("clinic.practice.registry.today._registered", guarded)
    today = read_today(by=UserFactory(), clinic=Clinic.objects.current(), now=EIGHT)
    shown = {part.template for group in today for part in group.parts}
    if section.permissions:
        assert not shown & {place.template for place in section.places}


def test_right_to_change_includes_the_right_to_see(db):
    frank = UserFactory()
    frank.user_permissions.set(Permission.objects.filter(codename="change_message"))
    assert may_see(User.objects.get(pk=frank.pk), ["outbox.view_message"])
    assert not may_see(User.objects.get(pk=frank.pk), ["outbox.view_message", "booking.view_appointment"])


def test_sections_name_existing_permissions_and_templates(db):
    rights = {
        f"{one.content_type.app_label}.{one.codename}" for one in Permission.objects.select_related("content_type")
    }
    for section in sections():
        assert set(section.permissions) <= rights
        assert all(get_template(place.template) for place in section.places)


def test_places_of_today_have_different_orders():
    orders = [place.order for section in sections() for place in section.places]
    assert len(orders) == len(set(orders))


def test_admin_site_knows_no_section():
    text = (ROOT / "clinic/admin.py").read_text() + (ROOT / "templates/admin/index.html").read_text()
    assert isinstance(sections()[0], Section)
    assert not [word for word in ("flags", "gaps", "wait list", "unmarked", "_today_") if word in text]


def test_article_a_patient_came_from_is_on_today_only_with_its_permission(client, evaluation, write_article):
    book(evaluation, source_article=write_article("sore-hip"))
    frank = UserFactory()
    frank.user_permissions.set(Permission.objects.filter(codename="view_appointment"))
    with time_machine.travel(EIGHT, tick=False):
        client.force_login(frank)
        assert "Sore hip" not in client.get("/admin/").content.decode()
        frank.user_permissions.add(Permission.objects.get(codename="view_source_article"))
        assert "Sore hip" in client.get("/admin/").content.decode()


def test_today_costs_the_same_queries_with_one_and_with_many_rows(
    client, owner, evaluation, charlie, alice, django_assert_max_num_queries
):
    with time_machine.travel(EIGHT, tick=False):
        client.force_login(owner)
        make_record(alice, service=evaluation, staff=charlie)
        with django_assert_max_num_queries(100) as first:
            client.get("/admin/")
        for number in range(12):
            book(
                evaluation,
                starts_at=NINE_ON_TUESDAY + (1, 2, 4)[number % 3] * HOUR + number // 3 * 24 * HOUR,
                name=f"Bob {number}",
            )
        with django_assert_max_num_queries(len(first)):
            client.get("/admin/")
