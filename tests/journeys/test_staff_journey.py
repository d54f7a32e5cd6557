"""A member of staff in a browser: invitation, second step, Today; passkeys; the warning of an unused page."""

import re

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from playwright.sync_api import expect

from clinic.practice.models import Role, User
from clinic.staff.links import Purpose, create_link, path_of
from tests.clinic.staff.people import PASSWORD, code_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
NEW = "five quiet boats in winter"


@pytest.fixture(autouse=True)
def production_rules(settings):
    settings.SECOND_FACTOR_REQUIRED = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def invite(*roles: Role) -> str:
    """Create an account with these roles and return the path of its invitation."""
    now = timezone.now()
    user = User.objects.create_user("sam@clinic.example", name="Sam Desk", roles=list(roles))
    return path_of(create_link(email=user.email, purpose=Purpose.INVITATION, now=now))


def add_authenticator(page):
    """Plug in a virtual authenticator with a fingerprint reader."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def choose_password(page, path):
    page.goto(path)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Save and sign in").click()


def sign_out(page):
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("role", Role)
def test_invited_person_reaches_today_by_way_of_a_second_step(demo_clinic, page, check_axe, role):
    choose_password(page, invite(role))
    if role != Role.EDITOR:  # sees no patient
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        check_axe(page)
        page.get_by_role("link", name="Add an app").click()
        check_axe(page)
        page.get_by_text("The phone cannot scan it").click()
        secret = page.locator("details code").inner_text()
        page.get_by_label("Authenticator code").fill(code_of(secret))
        page.get_by_role("button", name="Add the app").click()
        expect(page.locator(".codes li")).to_have_count(10)
        check_axe(page)
        page.get_by_role("link", name="I saved them").click()
    expect(page).to_have_title(re.compile("^Today"))
    check_axe(page)


def test_passkey_is_added_and_then_signs_in_by_itself(demo_clinic, page, check_axe):
    add_authenticator(page)
    choose_password(page, invite(Role.THERAPIST))
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("without the password").check()
    check_axe(page)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I saved them").click()
    expect(page).to_have_title(re.compile("^Today"))
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_title(re.compile("^Today"))


def test_passkey_is_the_second_step_after_the_password(demo_clinic, page):
    add_authenticator(page)
    choose_password(page, invite(Role.THERAPIST))
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_role("link", name="I saved them").click()
    sign_out(page)
    page.get_by_label("Email address").fill("sam@clinic.example")
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_title(re.compile("^Today"))


def test_unused_page_warns_and_then_leaves(demo_clinic, page, check_axe, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    User.objects.filter(email="nora@lakeside.example").update(password=make_password(PASSWORD))
    page.clock.install()
    page.goto("/staff/sign-in/")
    page.get_by_label("Email address").fill("nora@lakeside.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_title(re.compile("^Today"))
    page.clock.run_for(14 * 60 * 1000 + 3000)
    expect(page.get_by_role("heading", name="Are you still there?")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("heading", name="Are you still there?")).not_to_be_visible()
    page.clock.run_for(15 * 60 * 1000 + 3000)
    expect(page).to_have_url(re.compile("/staff/sign-in/"))
