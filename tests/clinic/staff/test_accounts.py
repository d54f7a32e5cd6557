"""Accounts of staff: who may invite, choose roles and deactivate; the last owner; the command line."""

import logging
from datetime import timedelta
from io import StringIO
from threading import Barrier, Thread

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from clinic.audit.models import SignInEvent
from clinic.outbox.models import Message
from clinic.practice.models import Role, User
from clinic.practice.people.staff import (
    AddressTaken,
    LastOwner,
    OwnersOnly,
    OwnRolesFixed,
    StaffChangeError,
    SuperuserFixed,
    change_staff,
    invite_staff,
)
from clinic.staff.models import FactorSecret, StaffLink
from tests.factories import ClinicFactory, UserFactory
from tests.world import NOON

ADD = "admin:practice_user_add"


@pytest.fixture
def olive(client, db):
    """An owner, signed in with `client`."""
    ClinicFactory()
    olive = UserFactory(name="Olive Owner", roles=["owner"])
    client.force_login(olive)
    return olive


@pytest.fixture
def sam(db):
    return UserFactory(name="Sam Desk", roles=["front-desk"])


def user_page(user):
    return reverse("admin:practice_user_change", args=[user.pk])


def save(client, user, **changes):
    """Save a user's page as a browser does after the given changes."""
    fields = {"email": user.email, "name": user.name, "roles": user.roles}
    fields |= {"is_active": "on"} if user.is_active else {}
    return client.post(user_page(user), {key: value for key, value in (fields | changes).items() if value != ""})


def manage(*words):
    out = StringIO()
    call_command("staff", *words, stdout=out)
    return out.getvalue()


# Owners in the admin


def test_owner_invites_staff_who_cannot_sign_in_yet(client, olive):
    fields = {"email": "Tess@Clinic.example", "name": "Tess Walker", "roles": ["therapist", "owner", "owner"]}
    assert client.post(reverse(ADD), fields).status_code == 302
    tess = User.objects.get(email="tess@clinic.example")
    assert (tess.roles, tess.has_usable_password(), tess.is_superuser) == (["owner", "therapist"], False, False)
    assert SignInEvent.objects.get(user=tess, kind="invited").by == olive


def test_invitation_needs_a_known_role_and_an_unused_address(client, olive, sam):
    for wrong in ({"roles": []}, {"roles": ["boss"]}, {"email": sam.email.upper()}):
        fields = {"email": "new@clinic.example", "name": "Nell New", "roles": ["editor"]} | wrong
        assert list(client.post(reverse(ADD), fields).context["adminform"].form.errors) == list(wrong)
    assert User.objects.count() == 2


def test_owner_chooses_roles_by_their_purpose(client, olive, sam):
    page = client.get(user_page(sam)).text
    for role in Role:
        assert role.purpose in page and f'value="{role.value}"' in page
    assert save(client, sam, roles=["editor", "front-desk"]).status_code == 302
    sam.refresh_from_db()
    assert sam.roles_in_words == "front desk, editor"


def test_page_of_a_user_shows_and_saves_nothing_for_the_command_line(client, olive, sam):
    page = client.get(user_page(sam)).text
    for name in ("is_superuser", "is_staff", "groups", "user_permissions"):
        assert f'name="{name}"' not in page
    save(client, sam, is_superuser="on", is_staff="on", user_permissions=["1"], groups=["1"])
    sam = User.objects.get(pk=sam.pk)
    assert (sam.is_superuser, sam.user_permissions.count(), sam.groups.count()) == (False, 0, 0)


def test_user_page_shows_no_part_of_the_password_hash(client, olive):
    olive.set_password("a long enough secret")
    olive.save()
    client.force_login(olive)
    page = client.get(user_page(olive)).text
    algorithm, *_, salt, digest = olive.password.split("$")
    for part in (algorithm, salt[:6], digest[:6]):
        assert part not in page


def test_own_roles_cannot_be_changed(client, olive):
    UserFactory(roles=["owner"])
    assert 'name="roles"' not in client.get(user_page(olive)).text
    assert save(client, olive, roles=["editor"], is_active="", name="Olive Oak").status_code == 302
    olive.refresh_from_db()
    assert (olive.roles, olive.is_active, olive.name) == (["owner"], True, "Olive Oak")


def test_superuser_is_shown_to_an_owner_and_not_changed(client, olive):
    sue = User.objects.create_superuser("sue@clinic.example", name="Sue")
    page = client.get(user_page(sue))
    assert page.status_code == 200 and 'name="roles"' not in page.text
    assert save(client, sue, roles=["editor"]).status_code == 403
    assert client.post(reverse("admin:practice_user_act", args=[sue.pk, "link"])).status_code == 403


@pytest.mark.parametrize("role", ["therapist", "front-desk", "editor", "auditor"])
def test_roles_are_granted_by_owners_only(client, olive, sam, role):
    nina = UserFactory(name="Nina New", roles=[role])
    client.force_login(nina)
    fields = {"email": "friend@clinic.example", "name": "Finn Friend", "roles": ["owner"]}
    assert client.post(reverse(ADD), fields).status_code == 403
    for user in (sam, nina):
        assert save(client, user, roles=["owner"]).status_code == 403
    assert [user.name for user in User.objects.active_owners()] == ["Olive Owner"]


def test_auditor_sees_the_roles_of_staff_in_words(client, olive, sam):
    client.force_login(UserFactory(name="Ada Audit", roles=["auditor"]))
    page = client.get(user_page(sam)).text
    assert "front desk" in page and "front-desk" not in page and 'name="roles"' not in page


def test_list_of_staff_shows_roles_and_status_and_filters_by_role(client, olive, sam, django_assert_max_num_queries):
    UserFactory(name="Gus Gone", roles=["editor"], is_active=False)
    page = client.get(reverse("admin:practice_user_changelist")).text
    assert "front desk" in page and "deactivated" in page
    editors = client.get(reverse("admin:practice_user_changelist"), {"role": "editor"}).text
    assert "Gus Gone" in editors and "Sam Desk" not in editors
    with django_assert_max_num_queries(12) as few:
        client.get(reverse("admin:practice_user_changelist"))
    UserFactory.create_batch(30, roles=["editor"])
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(reverse("admin:practice_user_changelist"))


def test_deactivated_user_is_signed_out_at_the_next_request(client, olive, sam):
    other = type(client)()
    other.force_login(sam)
    assert other.get("/admin/").status_code == 200
    save(client, sam, is_active="")
    assert other.get("/admin/").status_code == 302


# The last owner


def test_last_active_owner_stays(client, db):
    ClinicFactory()
    olive = UserFactory(name="Olive Owner", roles=["owner"])
    UserFactory(name="Gus Gone", roles=["owner"], is_active=False)
    client.force_login(User.objects.create_superuser("sue@clinic.example", name="Sue"))
    for changes in ({"roles": ["editor"]}, {"is_active": ""}):
        refused = save(client, olive, **changes)
        assert refused.status_code == 200 and len(refused.context["adminform"].form.errors) == 1
    second = UserFactory(name="Otto Owner", roles=["owner"])
    assert save(client, olive, is_active="").status_code == 302
    assert list(User.objects.active_owners()) == [second]


def change(user, by, **changes):
    fields = {"roles": user.roles, "is_active": user.is_active} | changes
    return change_staff(user=user, by=by, now=NOON, **fields)


def test_refusals_are_typed(db):
    olive, otto = (UserFactory(roles=["owner"]) for _ in range(2))
    sam, sue = UserFactory(roles=["front-desk"]), User.objects.create_superuser("sue@clinic.example", name="Sue")
    cases = [
        (OwnersOnly, lambda: change(otto, sam, roles=["editor"])),
        (OwnersOnly, lambda: invite_staff(email="a@b.example", name="A", roles=["editor"], by=sam, now=NOON)),
        (OwnRolesFixed, lambda: change(olive, olive, roles=["owner", "therapist"])),
        (SuperuserFixed, lambda: change(sue, olive, roles=["editor"])),
        (AddressTaken, lambda: invite_staff(email=sam.email, name="A", roles=["editor"], by=olive, now=NOON)),
    ]
    for refusal, act in cases:
        with pytest.raises(refusal):
            act()
    change(otto, None, is_active=False)
    with pytest.raises(LastOwner):
        change(olive, None, is_active=False)


def test_owner_who_was_demoted_since_cannot_grant_roles(db):
    olive, otto, sam = UserFactory(roles=["owner"]), UserFactory(roles=["owner"]), UserFactory(roles=["editor"])
    change(otto, olive, roles=["editor"])
    with pytest.raises(OwnersOnly):
        change(sam, otto, roles=["owner"])  # `otto` still has the old roles in memory


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_at_once_leave_one_owner():
    for _ in range(5):
        User.objects.update(roles=[])
        olive, otto = UserFactory(roles=["owner"]), UserFactory(roles=["owner"])
        start, outcomes = Barrier(2), []

        def demote(user, by, start=start, outcomes=outcomes):
            try:
                start.wait(timeout=10)
                change(user, by, roles=["editor"])
                outcomes.append("done")
            except StaffChangeError as refusal:
                outcomes.append(type(refusal).__name__)
            finally:
                connection.close()

        threads = [Thread(target=demote, args=pair) for pair in ((olive, otto), (otto, olive))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert sorted(outcomes) == ["OwnersOnly", "done"]
        assert User.objects.active_owners().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_deactivated_from_the_command_line_at_once_leave_one_owner():
    people, start, outcomes = [UserFactory(roles=["owner"]) for _ in range(2)], Barrier(2), []

    def deactivate(user):
        try:
            start.wait(timeout=10)
            change(user, None, is_active=False)
            outcomes.append("done")
        except LastOwner:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=deactivate, args=[user]) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(outcomes) == ["done", "refused"]


# The command line


@pytest.mark.django_db
def test_command_adds_lists_and_changes_accounts(caplog):
    caplog.set_level(logging.INFO)
    manage("add", "Nora@Clinic.example", "--name", "Nora Ellis", "--role", "therapist", "--role", "owner")
    nora = User.objects.get(email="nora@clinic.example")
    assert nora.roles == ["owner", "therapist"] and not nora.has_usable_password()
    listed = manage("list")
    assert "nora@clinic.example" in listed and "owner, therapist" in listed and "active" in listed
    manage("add", "sam@clinic.example", "--name", "Sam", "--role", "front-desk")
    manage("deactivate", "sam@clinic.example")
    assert not User.objects.get(name="Sam").is_active
    manage("roles", "sam@clinic.example", "--role", "owner")
    assert User.objects.get(name="Sam").is_active and User.objects.get(name="Sam").roles == ["owner"]
    kinds = SignInEvent.objects.filter(by=None).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["invited", "invited", "roles-changed", "ended", "roles-changed"]
    assert set(StaffLink.objects.values_list("email", "purpose")) == {
        ("nora@clinic.example", "invitation"),
        ("sam@clinic.example", "invitation"),
    }
    assert str(nora.pk) in caplog.text and "nora" not in caplog.text.lower()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words",
    [
        ("deactivate", "olive@clinic.example"),  # the last owner
        ("roles", "olive@clinic.example", "--role", "editor"),
        ("roles", "unknown@clinic.example", "--role", "editor"),
        ("add", "olive@clinic.example", "--name", "Olive", "--role", "editor"),
        ("add", "not an address", "--name", "Olive", "--role", "editor"),
        ("add", "new@clinic.example", "--name", "New", "--role", "boss"),
        ("add", "new@clinic.example", "--name", "New"),
        ("emergency", "new@clinic.example"),
        (),
    ],
)
def test_command_refuses_what_the_admin_refuses(words):
    UserFactory(email="olive@clinic.example", roles=["owner"])
    with pytest.raises(CommandError):
        manage(*words)
    assert list(User.objects.values_list("email", "roles", "is_active")) == [("olive@clinic.example", ["owner"], True)]


@pytest.mark.django_db
def test_emergency_access_opens_an_account_once_and_is_recorded(client, caplog):
    ClinicFactory()
    olive = UserFactory(email="olive@clinic.example", roles=["owner"], is_active=False)
    olive.set_password("the password of before")
    olive.save()
    secret = FactorSecret.objects.create(secret="lost with the phone")
    Authenticator.objects.create(user=olive, type=Authenticator.Type.TOTP, data={"secret": str(secret.pk)})
    link = manage("emergency", "Olive@clinic.example", "--role", "therapist").partition(settings.SITE_URL)[2].split()[0]
    olive.refresh_from_db()
    assert (olive.roles, olive.is_active, olive.has_usable_password()) == (["owner", "therapist"], True, False)
    assert not Authenticator.objects.exists() and not FactorSecret.objects.exists()
    assert SignInEvent.objects.get(user=olive).kind == "emergency"
    assert Message.objects.get().kind == "staff_account_event"
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert str(olive.pk) in warning.getMessage()
    assert link not in caplog.text and "olive@" not in caplog.text

    chosen = {"password": "seven plain herons stroll past"}
    assert client.get(link).status_code == 200 and client.get("/admin/").status_code == 302
    assert client.post(link, chosen).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert client.post(link, chosen).status_code == 410


@pytest.mark.django_db
def test_emergency_link_expires(client):
    ClinicFactory()
    with time_machine.travel(NOON, tick=False):
        said = manage("emergency", "locum@clinic.example", "--name", "Lou Locum", "--role", "therapist")
    link = said.partition(settings.SITE_URL)[2].split()[0]
    lou = User.objects.get(email="locum@clinic.example")
    assert (lou.name, lou.roles, lou.is_superuser) == ("Lou Locum", ["therapist"], False)
    with time_machine.travel(NOON + timedelta(minutes=61), tick=False):
        assert client.get(link).status_code == 410


@pytest.mark.django_db
def test_emergency_access_ends_the_sessions_of_before(client):
    ClinicFactory()
    olive = UserFactory(email="olive@clinic.example", roles=["owner"])
    client.force_login(olive)
    assert client.get("/admin/").status_code == 200
    manage("emergency", "olive@clinic.example")
    assert client.get("/admin/").status_code == 302
