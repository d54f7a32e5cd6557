"""Every admin URL, for every kind of user and every method: a page opens only with its permissions.

A page that is missing from admin_pages.py, the table of permissions, fails the test. Patients' names are canaries.
"""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client

from clinic.practice.models import User
from education.models import Topic
from tests.clinic.admin_house import CANARIES
from tests.clinic.admin_pages import ANYONE, FORMS, ONLY_WITH, Page, address_of, pages_of, routes_of_the_admin, viewers
from tests.clinic.admin_walk import SignedIn, light_admin
from tests.factories import TherapistFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.long]

OWN_RIGHTS = (
    "assessments.import_questionnaire",
    "assessments.publish_questionnaire",
    "assessments.sign_off_rules",
    "practice.export_patient",
    "practice.merge_patient",
    "practice.erase_patient",
)
STRANGE_METHODS = ("PUT", "DELETE", "OPTIONS", "PATCH")


@dataclass(frozen=True)
class Role:
    """A kind of user. `held` is compared with the page's permissions."""

    name: str
    user: User | AnonymousUser
    held: set[str]


@pytest.fixture
def rows(monkeypatch):
    with light_admin(monkeypatch) as rows:
        yield rows


def every_right(*verbs: str) -> list[str]:
    """Return the permissions for `verbs` on each model, or all permissions if no verb is given."""
    own = () if verbs else OWN_RIGHTS
    verbs = verbs or ("view", "change", "add", "delete")
    return [f"{one.split('.')[0]}.{verb}_{one.split('.')[1]}" for verb in verbs for one in FORMS] + list(own)


def make_role(*rights: str, **fields) -> Role:
    """Return the role of a new user with these permissions, a therapist if they may sign off rules."""
    user = UserFactory(**fields)
    codes = [right.split(".")[1] for right in rights]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    if "assessments.sign_off_rules" in rights:
        TherapistFactory(user=user)
    assert user.get_all_permissions() == set(rights)
    held = {"anyone", "staff", *rights} if user.is_staff else set()
    return Role("+".join(rights) or "none", user, held)


def roles_for_every_method() -> list[Role]:
    owner = User.objects.get(is_superuser=True)
    everything = {"anyone", "staff", "owner", *every_right()}
    return [
        Role("anonymous", AnonymousUser(), {"anyone"}),
        make_role(),
        Role("superuser", owner, everything),
    ]


def may(held: set[str], wanted: tuple[str, ...]) -> bool:
    return any(set(one.split("+")) <= held for one in wanted)


class Walk:
    """Requests pages and collects faulty responses."""

    def __init__(self, rows):
        pages, routes = pages_of(rows, ContentType.objects.get_for_model(Topic).pk), routes_of_the_admin()
        self.pages = [
            (name, page, address_of(route, page.args)) for name, route in routes.items() for page in pages[name]
        ]
        self.client = Client(raise_request_exception=False)
        self.faults: list[str] = []

    def go(self, role: Role, *methods: str) -> None:
        """Request every page with each of `methods`."""
        SignedIn.user = role.user
        for name, page, address in self.pages:
            for method in methods:
                self.ask(method, name, page, address, role)

    def press(self, role: Role) -> None:
        """Request by GET and POST the pages on which `role` can do more than staff without permissions can."""
        SignedIn.user, own = role.user, role.held - {"anyone", "staff"}
        for name, page, address in self.pages:
            if name == "index" or may(own, (*(page.opens or ()), *(page.acts or ()))):
                self.ask("GET", name, page, address, role)
                self.ask("POST", name, page, address, role)

    def ask(self, method, name, page, address, role) -> None:
        wanted = page.acts if method == "POST" else page.opens if method in ("GET", "HEAD") else None
        if method == "POST" and may(role.held, page.acts or ()):
            before = transaction.savepoint_create()  # undo what the page does
            response = self._answer(method, page, address)
            transaction.savepoint_rollback(before)
        else:
            response = self._answer(method, page, address)
        if fault := find_fault(response, page, wanted, role.held) or find_canary(response, role.held):
            self.faults.append(f"{role.name}: {method} {name} {page.args.get('act', '')} {fault}")

    def _answer(self, method, page, address):
        self.client.cookies.clear()  # drops the message of the previous page
        return self.client.post(address, page.data) if method == "POST" else self.client.generic(method, address)


def find_fault(response, page: Page, wanted: tuple[str, ...] | None, held: set[str]) -> str:
    """Return what is wrong with the response, or "".

    A 403, 404 or 405, or a redirect to the page's `door`, counts as a refusal.
    """
    status, to = response.status_code, response.headers.get("Location", "")
    is_at_the_door = "staff" not in held and (to.startswith(page.door) if page.door.endswith("=") else to == page.door)
    is_turned_away = status in (403, 404, 405) or is_at_the_door
    if status >= 500:
        return f"answered {status}"
    if wanted is not None and may(held, wanted):
        return f"refused with {status}" if is_turned_away else ""
    is_open = wanted is None and page.opens == ANYONE  # the login page accepts any POST
    return "" if is_turned_away or is_open else f"answered {status} without the right"


def find_canary(response, held: set[str]) -> str:
    text = response.text + response.headers.get("Location", "")
    for canary, models in CANARIES.items() if "canary" in text else ():
        shown_by = tuple(right for model in (*models, "practice.patient") for right in viewers(model))
        if canary in text and not may(held, shown_by):
            return f"shows {canary}"
    return ""


def test_every_admin_page_is_in_the_table_of_permissions(rows):
    pages, routes = pages_of(rows, 1), routes_of_the_admin()
    assert sorted(routes.keys() - pages.keys()) == [], "enter new pages in admin_pages.py"
    assert sorted(pages.keys() - routes.keys()) == []


def test_every_page_refuses_staff_without_permissions_and_opens_for_the_owner(rows):
    walk = Walk(rows)
    for role in roles_for_every_method():
        walk.go(role, "GET", "POST", *STRANGE_METHODS, *(["HEAD"] if role.name != "superuser" else []))
    assert not walk.faults, "\n".join(walk.faults)


def test_each_view_permission_opens_its_own_pages_and_no_other(rows):
    """Request every page by GET, and by POST the pages that the permission opens or acts on."""
    walk = Walk(rows)
    for right in every_right("view"):
        role = make_role(right)
        walk.go(role, "GET")
        walk.press(role)
    assert not walk.faults, "\n".join(walk.faults)


def test_each_permission_to_change_add_delete_or_act_opens_its_own_pages(rows):
    """The test below checks that it opens no other page, with all other permissions at once."""
    walk = Walk(rows)
    for right in every_right("change", "add", "delete") + list(OWN_RIGHTS):
        walk.press(make_role(right, *([ONLY_WITH[right]] if right in ONLY_WITH else [])))
    assert not walk.faults, "\n".join(walk.faults)


def test_page_is_refused_to_a_user_with_all_permissions_but_its_own(rows):
    """For each page, request it as a user who has every permission except those of the page."""
    walk = Walk(rows)
    for wanted in {wanted for _, page, _ in walk.pages for wanted in (page.opens, page.acts) if wanted}:
        lacking = {right for one in wanted for right in one.split("+")}
        role = make_role(*(set(every_right()) - lacking))
        SignedIn.user = role.user
        for name, page, address in walk.pages:
            for method in [m for m, who in (("GET", page.opens), ("POST", page.acts)) if who == wanted]:
                walk.ask(method, name, page, address, role)
    assert not walk.faults, "\n".join(walk.faults)
