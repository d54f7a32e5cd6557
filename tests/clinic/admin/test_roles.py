"""Which role opens which admin page, with every method, and which permissions each role has."""

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.template.response import SimpleTemplateResponse
from django.test import Client

from clinic.practice.models import Role
from clinic.staff.roles import COMMAND_LINE_APPS, COMMAND_LINE_ONLY, PERMISSIONS
from education.models import Topic
from tests.clinic.admin_pages import address_of, pages_of, routes_of_the_admin
from tests.clinic.admin_walk import SignedIn, light_admin
from tests.clinic.role_pages import ROLES, cells_of
from tests.factories import TherapistFactory, UserFactory

pytestmark = pytest.mark.django_db

REFUSED = (403, 404, 405)
METHODS = {"GET": "G", "HEAD": "G", "POST": "P"}  # and the letter of the table
STRANGE_METHODS = ("PUT", "DELETE", "OPTIONS", "PATCH")
DOORS = ("/admin/login/", "/admin/")  # where visitors who have not signed in are redirected


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")  # the status is decided before
    with light_admin(monkeypatch) as rows:
        yield rows


@pytest.fixture
def people(rows):
    """Return the user of each role, and of a visitor without one."""
    people = {role: UserFactory(name=f"Rosa {role}", roles=[role]) for role in ROLES if role != "none"}
    TherapistFactory(user=people["therapist"])
    return {"none": AnonymousUser(), **people}


def pages(rows):
    """Return (row of the table, URL, data to POST) for every URL of the admin."""
    known, found = pages_of(rows, ContentType.objects.get_for_model(Topic).pk), []
    for name, route in routes_of_the_admin().items():
        for page in known[name]:
            detail = page.args.get("act") or page.args.get("app_label") or page.data.get("field_name") or ""
            row = "old address" if "/" in name else f"{name} {detail}".strip()
            found.append((row, address_of(route, page.args), page.data))
    return found


def ask(client, method, address, data) -> bool:
    """Request the page, undo what it does, and return whether it was opened."""
    client.cookies.clear()
    before = transaction.savepoint_create()
    response = client.post(address, data) if method == "POST" else client.generic(method, address)
    transaction.savepoint_rollback(before)
    assert response.status_code < 500, (method, address)
    to_the_door = response.status_code == 302 and response["Location"].partition("?")[0] in DOORS
    return response.status_code not in REFUSED and not (to_the_door and SignedIn.user.is_anonymous)


def test_every_admin_page_has_a_row(rows):
    expected = cells_of()
    assert sorted({name for name, _, _ in pages(rows)} ^ expected.keys()) == [], "enter new pages in role_pages.py"


@pytest.mark.parametrize("role", ROLES)
def test_role_opens_its_pages_and_no_other(rows, people, role):
    SignedIn.user, client, expected, faults = people[role], Client(raise_request_exception=False), cells_of(), []
    for name, address, data in pages(rows):
        cell = expected[name][role]
        asked = [method for method in METHODS if method != "HEAD" or "G" not in cell]  # a HEAD must not open more
        opened = {method for method in asked if ask(client, method, address, data)}
        wanted = {method for method in asked if METHODS[method] in cell}
        if opened != wanted:
            faults.append(f"{name}: {sorted(opened)} instead of {sorted(wanted)}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_answers_another_method(rows, people, role):
    SignedIn.user, client = people[role], Client(raise_request_exception=False)
    opened = [
        (method, name)
        for name, address, data in pages(rows)
        for method in STRANGE_METHODS
        if name != "login" and ask(client, method, address, data)  # Django's login treats PUT as POST
    ]
    assert opened == []


# The table of permissions


def test_every_permission_is_of_a_role_or_for_the_command_line():
    stored = {
        f"{one.content_type.app_label}.{one.codename}" for one in Permission.objects.select_related("content_type")
    }
    granted = set().union(*PERMISSIONS.values())
    own = {one for one in stored if one.partition(".")[0] not in COMMAND_LINE_APPS}
    assert sorted(own - granted - COMMAND_LINE_ONLY) == [], "give it to a role, or list it as for the command line"
    assert sorted((granted | COMMAND_LINE_ONLY) - stored) == [], "these do not exist"
    assert sorted(granted & COMMAND_LINE_ONLY) == []


def test_every_role_has_permissions_and_a_purpose():
    assert set(PERMISSIONS) == set(Role)
    assert all(PERMISSIONS[role] and role.purpose for role in Role)


def test_answers_and_flags_are_for_therapists_only():
    clinical = ("assessments.view_response", "assessments.view_flag", "booking.view_source_article")
    for permission in clinical:
        assert [role for role in Role if permission in PERMISSIONS[role]] == [Role.THERAPIST]


def test_two_roles_import_and_publish_questionnaires():
    holders = {
        act: [role for role in Role if f"assessments.{act}_questionnaire" in PERMISSIONS[role]]
        for act in ("import", "publish")
    }
    assert holders == {"import": [Role.OWNER], "publish": [Role.THERAPIST]}


def test_roles_add_up_and_take_effect_at_once():
    nora = UserFactory(roles=["owner", "therapist"])
    assert nora.get_all_permissions() == PERMISSIONS[Role.OWNER] | PERMISSIONS[Role.THERAPIST]
    type(nora).objects.filter(pk=nora.pk).update(roles=["editor"])
    assert type(nora).objects.get(pk=nora.pk).get_all_permissions() == PERMISSIONS[Role.EDITOR]
    type(nora).objects.filter(pk=nora.pk).update(is_active=False)
    gone = type(nora).objects.get(pk=nora.pk)
    assert gone.get_all_permissions() == set() and not gone.has_module_perms("education")
