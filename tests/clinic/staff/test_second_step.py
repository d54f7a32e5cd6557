"""The second step of a sign-in: who needs one, adding it, losing the phone, and how its secrets are stored."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from clinic.audit.models import SignInEvent, SignInKind
from clinic.outbox.models import Message
from clinic.practice.access.rate_limits import DAILY_SECOND_STEPS, DAY, NETWORK_CHALLENGES, SECOND_STEPS, WRONG_CODES
from clinic.practice.models import Role
from clinic.staff.account_mail import ACCOUNT_EVENT, subject_of
from clinic.staff.models import FactorSecret
from tests.clinic.staff.people import PASSWORD, add_app, code_of, make_staff, recovery_codes, sign_in, signed_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def required(settings):
    settings.SECOND_FACTOR_REQUIRED = True
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def olga():
    return make_staff()


@pytest.fixture
def secret(olga):
    """The secret of Olga's authenticator app, added five minutes ago."""
    with time_machine.travel(NOW - 5 * MINUTE, tick=False):
        return add_app(signed_in(olga))


@pytest.mark.parametrize("path", ["/admin/", "/admin/practice/patient/", "/staff/sessions/", "/staff/password/"])
def test_page_leads_to_the_account_while_a_second_step_is_missing(olga, path):
    answer = signed_in(olga).get(path)
    assert (answer.status_code, answer["Location"]) == (303, "/staff/security/")


@pytest.mark.django_db(transaction=True)  # the session is told of a new second step on commit
def test_account_without_a_second_step_can_add_one_and_then_opens_today(olga):
    browser = signed_in(olga)
    add_app(browser)
    assert browser.get("/admin/").status_code == 200
    assert len(recovery_codes(browser)) == 10
    assert recovery_codes(browser) == [], "they are shown once"


def test_editor_who_sees_no_patient_needs_no_second_step():
    emma = make_staff("emma@clinic.example", roles=[Role.EDITOR])
    assert signed_in(emma).get("/admin/").status_code == 200


def test_editor_who_is_also_a_therapist_needs_a_second_step():
    emma = make_staff("emma@clinic.example", roles=[Role.EDITOR, Role.THERAPIST])
    assert signed_in(emma).get("/admin/").status_code == 303


def test_local_site_asks_for_no_second_step(olga, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    assert signed_in(olga).get("/admin/").status_code == 200


def test_password_alone_opens_nothing_once_there_is_a_second_step(olga, secret):
    browser = Client()
    assert sign_in(olga, browser, to="/admin/booking/service/")["Location"] == "/staff/security/authenticate/"
    assert browser.get("/admin/")["Location"].startswith("/admin/login/")
    assert not SignInEvent.objects.filter(kind=SignInKind.SIGNED_IN, at=NOW).exists()
    done = browser.post("/staff/security/authenticate/", {"code": code_of(secret)})
    assert (done.status_code, done["Location"]) == (302, "/admin/booking/service/")
    assert browser.get("/admin/").status_code == 200


def test_code_of_the_app_works_once(olga, secret):
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(olga, browser)
    assert first.post("/staff/security/authenticate/", {"code": code_of(secret)}).status_code == 302
    assert second.post("/staff/security/authenticate/", {"code": code_of(secret)}).status_code == 200
    assert second.get("/admin/").status_code == 302
    assert second.post("/staff/security/authenticate/", {"code": code_of(secret, ahead=1)}).status_code == 302


def test_code_of_a_clock_that_is_minutes_off_is_refused(olga, secret):
    browser = Client()
    sign_in(olga, browser)
    assert browser.post("/staff/security/authenticate/", {"code": code_of(secret, ahead=4)}).status_code == 200


def test_codes_are_limited_whatever_network_they_come_from(olga, secret):
    browser = Client()
    sign_in(olga, browser)
    answers = [
        browser.post("/staff/security/authenticate/", {"code": f"{n:06}"}, REMOTE_ADDR=f"198.51.{n}.1")
        for n in range(SECOND_STEPS.at_once + 1)
    ]
    assert [answer.status_code for answer in answers] == [200] * SECOND_STEPS.at_once + [429]
    assert answers[-1]["Retry-After"] == "300"
    assert browser.post("/staff/security/authenticate/", {"code": code_of(secret)}).status_code == 429
    kinds = SignInEvent.objects.filter(at=NOW).values_list("kind", flat=True)
    assert sorted(kinds) == [SignInKind.FAILED] * SECOND_STEPS.at_once + [SignInKind.THROTTLED] * 2


def guess(olga, times, browser=None):
    """Enter wrong codes. Returns the statuses."""
    browser = browser or Client()
    sign_in(olga, browser)
    return [browser.post("/staff/security/authenticate/", {"code": f"{n:06}"}).status_code for n in range(times)]


def test_codes_of_new_browsers_are_also_limited_by_the_day(olga, secret):
    tried = 0
    for hours in range(24):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            tried += guess(olga, SECOND_STEPS.at_once).count(200)
    assert tried <= DAILY_SECOND_STEPS.at_once + DAY // DAILY_SECOND_STEPS.every


def test_stranger_with_the_password_does_not_lock_a_known_browser_out(olga, secret):
    browser = Client()
    sign_in(olga, browser)
    browser.post("/staff/security/authenticate/", {"code": code_of(secret)})
    browser.post("/staff/sign-out/")
    assert 429 in guess(olga, SECOND_STEPS.at_once + 1)
    sign_in(olga, browser)
    assert browser.post("/staff/security/authenticate/", {"code": code_of(secret, ahead=1)}).status_code == 302


def test_several_wrong_codes_are_told_by_one_email_a_day(olga, secret):
    mails = Message.objects.filter(kind=ACCOUNT_EVENT)
    before = mails.count()
    guess(olga, WRONG_CODES.at_once)
    assert mails.count() == before, "anyone mistypes"
    guess(olga, 2)
    told = SignInEvent.objects.get(pk=mails.latest("created_at").subject_id.int)
    assert (mails.count(), told.kind) == (before + 1, SignInKind.FAILED)


def test_failed_passkey_is_recorded_and_the_page_says_so():
    browser = Client()
    answer = browser.post("/staff/security/webauthn/login/", {"credential": '{"id": "x"}'})
    assert SignInEvent.objects.filter(user=None, kind=SignInKind.FAILED).count() == 1
    assert 'role="alert"' in browser.get(answer["Location"]).content.decode()


def test_challenges_for_passkeys_are_limited_per_network():
    def begin():
        return Client().get("/staff/security/webauthn/login/", headers={"X-Requested-With": "XMLHttpRequest"})

    assert {begin().status_code for _ in range(NETWORK_CHALLENGES.at_once)} == {200}
    assert begin().status_code == 429


def test_recovery_code_opens_the_account_once_when_the_phone_is_lost(olga):
    with time_machine.travel(NOW - 5 * MINUTE, tick=False):
        browser = signed_in(olga)
        add_app(browser)
        code, *_ = recovery_codes(browser)
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(olga, browser)
    assert first.post("/staff/security/authenticate/", {"code": code}).status_code == 302
    assert first.get("/admin/").status_code == 200
    assert second.post("/staff/security/authenticate/", {"code": code}).status_code == 200
    used = SignInEvent.objects.get(kind=SignInKind.RECOVERY_USED)
    assert used.user == olga
    assert Message.objects.filter(kind=ACCOUNT_EVENT, subject_id=subject_of(used)).exists()


def test_last_second_step_cannot_be_removed_by_those_who_need_one(olga):
    browser = signed_in(olga)
    add_app(browser)
    answer = browser.post("/staff/security/totp/deactivate/")
    assert answer.status_code == 200
    assert Authenticator.objects.filter(user=olga, type="totp").exists()


def test_removed_second_step_takes_its_secrets_along(olga, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    browser = signed_in(olga)
    add_app(browser)
    assert FactorSecret.objects.count() == 2
    browser.post("/staff/security/totp/deactivate/")
    assert not FactorSecret.objects.exists()
    kinds = SignInEvent.objects.filter(user=olga).values_list("kind", flat=True)
    assert {SignInKind.FACTOR_ADDED, SignInKind.FACTOR_REMOVED} <= set(kinds)


def test_secret_of_the_app_is_not_in_the_database_in_clear(olga, secret):
    with connection.cursor() as cursor:
        for table in ("mfa_authenticator", "staff_factorsecret"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert secret not in cursor.fetchone()[0]


def test_adding_a_second_step_asks_for_the_password_when_the_sign_in_is_old(olga):
    browser = signed_in(olga)
    with time_machine.travel(NOW + 6 * MINUTE, tick=False):
        asked = browser.get("/staff/security/totp/activate/")
        assert asked["Location"] == "/staff/confirm/?next=%2Fstaff%2Fsecurity%2Ftotp%2Factivate%2F"
        assert browser.post(asked["Location"], {"password": "wrong"}).status_code == 200
        assert browser.post(asked["Location"], {"password": PASSWORD}).status_code == 302
        assert browser.get("/staff/security/totp/activate/").status_code == 200


def test_session_of_a_stolen_password_ends_once_the_owner_has_a_second_step(olga):
    thief, own = signed_in(olga), signed_in(olga)
    add_app(own)
    assert thief.get("/staff/security/webauthn/add/")["Location"].startswith("/staff/sign-in/?ended=factor")
    assert thief.get("/admin/").status_code == 302
    assert own.get("/admin/").status_code == 200


def test_same_code_with_a_dash_is_not_a_new_one(olga, secret):
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(olga, browser)
    code = code_of(secret)
    assert first.post("/staff/security/authenticate/", {"code": code}).status_code == 302
    assert second.post("/staff/security/authenticate/", {"code": f"{code[:3]}-{code[3:]}"}).status_code == 200
