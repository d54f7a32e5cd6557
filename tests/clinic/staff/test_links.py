"""Single-use links of staff: invitations and forgotten passwords. Unknown addresses learn nothing."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import SignInEvent, SignInKind
from clinic.outbox.models import Message
from clinic.outbox.sending.hand_over import send_due_messages
from clinic.practice.access.rate_limits import NETWORK_RESETS, RESETS
from clinic.practice.models import Role
from clinic.staff.account_mail import ACCOUNT_EVENT, INVITATION, RESET, plan_link_mail
from clinic.staff.links import (
    LASTS,
    REMEMBERED_FOR,
    Purpose,
    StaffLinkUnusable,
    create_link,
    delete_expired_staff_links,
    path_of,
    use_link,
)
from clinic.staff.models import FactorSecret, StaffLink
from tests.clinic.staff.people import PASSWORD, add_app, make_staff, sign_in, signed_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
NEW = "five quiet boats in winter"
FORGOTTEN = "/staff/password/forgotten/"


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def olga():
    return make_staff()


def ask(email="olga@clinic.example", browser=None, **headers):
    return (browser or Client()).post(FORGOTTEN, {"email": email}, **headers)


def mailed_path(post_office) -> str:
    """Send due messages, and return the path of the link in the last email."""
    send_due_messages(clock=timezone.now)
    text = post_office.mails[-1].get_body(("plain",)).get_content()
    return re.search(r"https?://[^/]+(/staff/link/\S+)", text)[1]


def choose(path, password=NEW, browser=None):
    return (browser or Client()).post(path, {"password": password})


def test_forgotten_password_is_replaced_by_the_mailed_link(olga, post_office):
    old, browser = signed_in(olga), Client()
    assert ask()["Location"] == FORGOTTEN + "sent/"
    path = mailed_path(post_office)
    assert [browser.get(path).status_code for _ in range(3)] == [200] * 3, "a mail scanner opens it"
    answer = choose(path, browser=browser)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert browser.get("/admin/").status_code == 200
    assert old.get("/admin/").status_code == 302, "other sessions end"
    assert sign_in(olga).status_code == 200
    assert sign_in(olga, password=NEW).status_code == 302
    kinds = set(SignInEvent.objects.filter(user=olga).values_list("kind", flat=True))
    assert {SignInKind.RESET_ASKED, SignInKind.PASSWORD_CHANGED, SignInKind.SIGNED_IN} <= kinds
    assert Message.objects.filter(kind=ACCOUNT_EVENT).count() >= 2


def test_link_works_once(olga, post_office):
    ask()
    path = mailed_path(post_office)
    assert choose(path).status_code == 302
    assert Client().get(path).status_code == choose(path, "another quiet boat in June").status_code == 410
    assert sign_in(olga, password=NEW).status_code == 302


@pytest.mark.parametrize("purpose", [Purpose.RESET, Purpose.INVITATION])
def test_new_link_of_an_owner_replaces_those_before(olga, purpose):
    first = create_link(email=olga.email, purpose=purpose, now=NOW)
    second = create_link(email=olga.email, purpose=purpose, by=olga, now=NOW)
    assert choose(path_of(first)).status_code == 410
    assert choose(path_of(second)).status_code == 302


@pytest.mark.parametrize("act", ["link", "factors"])
def test_open_links_end_when_an_owner_helps(olga, act):
    sam = make_staff("sam@clinic.example", roles=[Role.FRONT_DESK])
    if act == "factors":
        add_app(signed_in(sam))
    before = create_link(email=sam.email, purpose=Purpose.RESET, keeps_earlier=True, now=NOW)
    assert signed_in(olga).post(f"/admin/practice/user/{sam.pk}/act/{act}/").status_code == 303
    assert choose(path_of(before)).status_code == 410


def test_stranger_who_asks_for_a_reset_does_not_end_the_owners_link(olga):
    own, strangers = (
        create_link(email=olga.email, purpose=Purpose.RESET, keeps_earlier=True, now=NOW) for _ in range(2)
    )
    assert choose(path_of(own)).status_code == 302
    assert choose(path_of(strangers)).status_code == 410, "the first that is used ends the others"


def test_stranger_cannot_use_up_the_resets_of_a_known_browser(olga, post_office):
    browser = signed_in(olga)
    browser.post("/staff/sign-out/")
    asked = StaffLink.objects.filter(email=olga.email)
    for _ in range(RESETS.at_once + 2):
        ask()
    assert asked.count() == RESETS.at_once
    browser.post(FORGOTTEN, {"email": olga.email})
    assert asked.count() == RESETS.at_once + 1


@pytest.mark.parametrize("purpose", [Purpose.RESET, Purpose.INVITATION, Purpose.EMERGENCY])
def test_link_expires(olga, purpose):
    path = path_of(create_link(email=olga.email, purpose=purpose, now=NOW))
    with time_machine.travel(NOW + LASTS[purpose] - timedelta(seconds=1), tick=False):
        assert Client().get(path).status_code == 200
    with time_machine.travel(NOW + LASTS[purpose], tick=False):
        assert Client().get(path).status_code == choose(path).status_code == 410
    assert sign_in(olga).status_code == 302, "the password is unchanged"


def test_link_of_a_deactivated_account_does_not_open(olga):
    path = path_of(create_link(email=olga.email, purpose=Purpose.RESET, now=NOW))
    olga.is_active = False
    olga.save()
    assert choose(path).status_code == 410


def test_forged_link_does_not_open(olga):
    path = path_of(create_link(email=olga.email, purpose=Purpose.RESET, now=NOW))
    token = path.split("/")[-2]
    forged = (token[:-5] + "AAAA=", token[:20], "x" * 64, "é", "=", token.lower(), token + "A")
    for text in forged:
        assert Client().get(reverse("staff_link", args=[text])).status_code == 410, text


@pytest.mark.django_db(transaction=True)
def test_two_requests_with_one_link_change_the_password_once(olga):
    token = path_of(create_link(email=olga.email, purpose=Purpose.RESET, now=NOW)).split("/")[-2]
    use_link(token=token, password=NEW, now=NOW)
    with pytest.raises(StaffLinkUnusable):
        use_link(token=token, password=PASSWORD, now=NOW)


def test_answer_is_the_same_in_bytes_and_queries_whether_the_account_exists(olga):
    pages, statements = [], []
    for email in ("olga@clinic.example", "unknown@clinic.example"):
        browser = Client()
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email, browser)
        statements.append(
            [re.sub(r"'[^']*'(::uuid)?|\"s\d+_x\d+\"|NULL|\b\d+\b", "?", query["sql"]) for query in queries]
        )
        page = re.sub(rb' nonce="[^"]*"', b"", browser.get(answer["Location"]).content)
        pages.append((answer.status_code, dict(answer.headers), page))
        assert not answer.cookies
    assert pages[0] == pages[1]
    assert statements[0] == statements[1]


def test_unknown_address_gets_no_email(olga, post_office):
    ask("unknown@clinic.example")
    send_due_messages(clock=timezone.now)
    assert post_office.mails == []
    assert Message.objects.get(kind=RESET).state == "skipped"


def test_resets_of_one_account_are_limited_and_the_page_does_not_reveal_it(olga):
    answers = {
        (answer.status_code, answer["Location"])
        for n in range(RESETS.at_once + 3)
        for answer in [ask(REMOTE_ADDR=f"198.51.{n}.1")]
    }
    assert len(answers) == 1
    assert Message.objects.filter(kind=RESET).count() == RESETS.at_once


def test_resets_of_one_network_are_limited(olga):
    for n in range(NETWORK_RESETS.at_once):
        assert ask(f"r{n}@clinic.example").status_code == 303
    refused = ask()
    assert refused.status_code == 429
    assert refused["Retry-After"] == str(int(NETWORK_RESETS.every.total_seconds()))


@pytest.mark.parametrize("typed", ["", "not an address"])
def test_form_is_shown_again_when_the_address_is_invalid(typed):
    assert ask(typed).status_code == 422
    assert not StaffLink.objects.exists()


def test_invitation_opens_an_account_and_leads_to_the_second_step(settings, post_office, olga):
    settings.SECOND_FACTOR_REQUIRED = True
    sam = make_staff("sam@clinic.example", password=None)
    assert sign_in(sam, password="").status_code == 200
    plan_link_mail(create_link(email=sam.email, purpose=Purpose.INVITATION, by=olga, now=NOW), now=NOW)
    path, browser = mailed_path(post_office), Client()
    mail = post_office.mails[-1]
    assert mail["To"] == "sam@clinic.example" and "Olga Owner" in mail.get_body(("plain",)).get_content()
    assert choose(path, browser=browser).status_code == 302
    assert browser.get("/admin/")["Location"] == "/staff/security/"
    assert Message.objects.filter(kind=INVITATION, state="sent").count() == 1


def test_easy_password_is_refused_and_the_link_still_works(olga):
    path = path_of(create_link(email=olga.email, purpose=Purpose.RESET, now=NOW))
    for easy in ("Runclinic2026!", "too short", "passwordpassword1", "olga owner clinic 2026"):
        assert choose(path, easy).status_code == 422, easy
    assert choose(path).status_code == 302


def test_link_is_kept_out_of_the_referrer_and_of_caches(olga):
    answer = Client().get(path_of(create_link(email=olga.email, purpose=Purpose.RESET, now=NOW)))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]


def test_ended_links_are_deleted_after_a_while(olga):
    create_link(email=olga.email, purpose=Purpose.RESET, now=NOW)
    ends_at = NOW + LASTS[Purpose.RESET] + REMEMBERED_FOR
    assert delete_expired_staff_links(now=ends_at - timedelta(seconds=1)) == 0
    assert delete_expired_staff_links(now=ends_at) == 1


def test_owner_sends_a_new_link_ends_sessions_and_removes_a_lost_second_step(olga, post_office):
    sam, own = make_staff("sam@clinic.example", roles=[Role.FRONT_DESK]), signed_in(olga)
    browser = signed_in(sam)
    add_app(browser)
    act = f"/admin/practice/user/{sam.pk}/act/"
    assert own.post(act + "sessions/").status_code == 303
    assert browser.get("/admin/").status_code == 302
    assert own.post(act + "factors/").status_code == 303
    assert not Authenticator.objects.exists() and not FactorSecret.objects.exists()
    assert own.post(act + "link/").status_code == 303
    assert choose(mailed_path(post_office)).status_code == 302
    assert sign_in(sam, password=NEW).status_code == 302
    done = SignInEvent.objects.filter(user=sam, by=olga).values_list("kind", flat=True)
    assert set(done) == {SignInKind.ENDED, SignInKind.FACTOR_REMOVED, SignInKind.RESET_ASKED}


@pytest.mark.parametrize("act", ["link", "sessions", "factors"])
def test_only_another_owner_acts_on_an_account(olga, act):
    sam = make_staff("sam@clinic.example", roles=[Role.FRONT_DESK])
    assert signed_in(sam).post(f"/admin/practice/user/{olga.pk}/act/{act}/").status_code == 403
    assert signed_in(olga).post(f"/admin/practice/user/{olga.pk}/act/{act}/").status_code == 403, "one's own"
    assert signed_in(olga).get(f"/admin/practice/user/{sam.pk}/act/{act}/").status_code == 405
    assert signed_in(olga).post(f"/admin/practice/user/{sam.pk}/act/dance/").status_code == 404


def test_member_of_staff_is_told_by_email_that_their_roles_were_changed(olga, post_office):
    sam = make_staff("sam@clinic.example", roles=[Role.FRONT_DESK])
    own, path = signed_in(olga), f"/admin/practice/user/{sam.pk}/change/"
    form = own.get(path).context["adminform"].form
    seen = {name: form[name].value() for name in form.fields if name not in ("roles", "is_active")}
    Message.objects.all().delete()
    saved = own.post(path, {**seen, "roles": [Role.THERAPIST], "is_active": "on"})
    assert saved.status_code == 302
    send_due_messages(clock=timezone.now)
    assert [mail["To"] for mail in post_office.mails] == ["sam@clinic.example"]
    assert "changed" in post_office.mails[0]["Subject"]
