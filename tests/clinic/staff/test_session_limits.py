"""Sessions of staff end after a pause and after a working day; they are listed, and can be ended elsewhere."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from clinic.audit.models import SignInEvent, SignInKind
from clinic.staff.sign_in.session_limits import COOKIE, IDLE, LONGEST
from tests.clinic.staff.people import PASSWORD, make_staff, sign_in, signed_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def olga():
    return make_staff()


def at(after: timedelta):
    return time_machine.travel(NOW + after, tick=False)


def where_to(answer) -> tuple[str, dict]:
    parts = urlsplit(answer["Location"])
    return parts.path, {name: value for name, (value,) in parse_qs(parts.query).items()}


def test_session_goes_on_while_it_is_used_and_ends_after_a_pause(olga):
    browser, used = signed_in(olga), timedelta()
    for _ in range(5):
        used += IDLE - SECOND
        with at(used):
            assert browser.get("/admin/").status_code == 200
    with at(used + IDLE):
        ended = browser.get("/admin/booking/service/?q=1")
        assert where_to(ended) == ("/staff/sign-in/", {"ended": "idle", "next": "/admin/booking/service/?q=1"})
        assert ended["Clear-Site-Data"] == '"cache", "storage"'
        assert browser.get("/admin/").status_code == 302, "and stays ended"
    assert SignInEvent.objects.get(kind=SignInKind.TIMED_OUT).user == olga


def test_form_posted_after_a_pause_changes_nothing_and_is_not_offered_again(olga):
    browser = signed_in(olga)
    with at(IDLE):
        assert where_to(browser.post("/admin/", {})) == ("/staff/sign-in/", {"ended": "idle"})


def test_typing_keeps_the_session(olga):
    browser = signed_in(olga)
    with at(IDLE - SECOND):
        assert browser.post("/staff/still-here/").status_code == 204
    with at(IDLE + MINUTE):
        assert browser.get("/admin/").status_code == 200


def test_session_ends_after_twelve_hours_of_use(olga):
    browser, used = signed_in(olga), timedelta()
    while used < LONGEST - 10 * MINUTE:
        used += 10 * MINUTE
        with at(used):
            browser.post("/staff/still-here/")
    with at(LONGEST - SECOND):
        assert browser.get("/admin/").status_code == 200
    with at(LONGEST):
        assert browser.get("/admin/").status_code == 302


@pytest.mark.parametrize("cookie", ["", "forged", "of another session"])
def test_session_ends_when_the_cookie_of_its_last_use_is(olga, cookie):
    browser = signed_in(olga)
    other = signed_in(olga).cookies[COOKIE].value
    browser.cookies[COOKIE] = other if cookie == "of another session" else cookie
    assert where_to(browser.get("/admin/"))[1]["ended"] == "idle"


def test_sign_in_page_sets_no_cookie_of_a_last_use(client):
    answer = client.get("/staff/sign-in/")
    assert COOKIE not in answer.cookies


def test_no_page_writes_to_the_session_when_it_is_used(olga):
    browser = signed_in(olga)
    before = Session.objects.get(pk=browser.cookies["sessionid"].value).session_data
    with at(MINUTE):
        browser.get("/staff/sessions/")
    assert Session.objects.get(pk=browser.cookies["sessionid"].value).session_data == before


def test_sign_out_ends_the_session_and_clears_the_browser(olga):
    browser = signed_in(olga)
    key = browser.cookies["sessionid"].value
    answer = browser.post("/admin/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.filter(pk=key).exists()
    assert SignInEvent.objects.get(kind=SignInKind.SIGNED_OUT).user == olga
    assert browser.get("/admin/").status_code == 302


def test_sign_out_by_get_is_refused(olga):
    browser = signed_in(olga)
    assert browser.get("/staff/sign-out/").status_code == 405
    assert browser.get("/admin/").status_code == 200


def test_sessions_are_listed_by_browser_and_network_without_the_full_address(olga):
    signed_in(olga, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.77")
    page = signed_in(olga).get("/staff/sessions/").content.decode()
    assert "Firefox on Windows" in page and "203.0.113.0" in page and "this browser" in page
    assert "203.0.113.77" not in page
    stored = UserSession.objects.values_list("ip", "user_agent")
    assert ("203.0.113.0", "Firefox on Windows") in set(stored)


def test_one_session_can_be_ended_from_another(olga):
    lost, kept, own = signed_in(olga), signed_in(olga), signed_in(olga)
    row = UserSession.objects.get(session_key=lost.cookies["sessionid"].value)
    own.post("/staff/sessions/", {"session": row.pk})
    assert [browser.get("/admin/").status_code for browser in (lost, kept, own)] == [302, 200, 200]
    assert SignInEvent.objects.get(kind=SignInKind.ENDED).user == olga


def test_all_other_sessions_can_be_ended_at_once(olga):
    others, own = [signed_in(olga), signed_in(olga)], signed_in(olga)
    own.post("/staff/sessions/")
    assert [browser.get("/admin/").status_code for browser in (*others, own)] == [302, 302, 200]


def test_session_of_another_account_cannot_be_ended(olga):
    mallory = signed_in(make_staff("mallory@clinic.example"))
    own = signed_in(olga)
    row = UserSession.objects.get(session_key=own.cookies["sessionid"].value)
    assert mallory.post("/staff/sessions/", {"session": row.pk}).status_code == 404
    assert own.get("/admin/").status_code == 200


def test_other_sessions_end_when_the_password_is_changed(olga):
    other, own = signed_in(olga), signed_in(olga)
    new = "five quiet boats in winter"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert own.post("/staff/password/", form).status_code == 302
    assert [browser.get("/admin/").status_code for browser in (other, own)] == [302, 200]
    assert sign_in(olga, password=new).status_code == 302
    assert SignInEvent.objects.filter(kind=SignInKind.PASSWORD_CHANGED, user=olga).count() == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http://testserver/admin/",
        "/staff/sign-out/../../../evil",
        "/book/",
        "/no/such/page/",
        "/%09/evil.example",
    ],
)
def test_sign_in_leads_to_today_when_the_next_page_is_hostile(olga, hostile):
    assert sign_in(olga, to=hostile)["Location"] == "/admin/"


def test_sign_in_leads_to_the_page_that_asked_for_it(olga):
    asked = Client().get("/admin/booking/service/?q=1", follow=True)
    path, query = asked.redirect_chain[-1][0].split("?", 1)
    assert path == "/staff/sign-in/" and parse_qs(query)["next"] == ["/admin/booking/service/?q=1"]
    assert sign_in(olga, to="/admin/booking/service/?q=1")["Location"] == "/admin/booking/service/?q=1"


def test_sensitive_page_asks_again_only_when_the_sign_in_is_old(olga):
    browser, path = signed_in(olga), f"/admin/practice/user/{make_staff('sam@clinic.example').pk}/change/"
    assert browser.get(path).status_code == 200
    with at(6 * MINUTE):
        assert where_to(browser.get(path)) == ("/staff/confirm/", {"next": path})
        assert where_to(browser.post(path, {"name": "x"})) == ("/staff/confirm/", {"next": path})
        assert browser.post(f"/staff/confirm/?next={path}", {"password": PASSWORD}).status_code in (200, 302)
        assert browser.get(path).status_code == 200


def test_tries_at_the_current_password_are_limited_and_recorded(olga):
    browser = signed_in(olga)
    form = {"oldpassword": "a guess of mine", "password1": PASSWORD, "password2": PASSWORD}
    answers = [browser.post("/staff/password/", form).status_code for _ in range(12)]
    assert set(answers) == {200, 429} and answers[-1] == 429
    assert SignInEvent.objects.filter(kind=SignInKind.FAILED, user=olga).count() == answers.count(200)


def test_owner_cannot_move_an_account_to_another_mailbox(olga):
    sam = make_staff("sam@clinic.example", roles=["front-desk"])
    page = signed_in(olga).get(f"/admin/practice/user/{sam.pk}/change/").content.decode()
    assert "sam@clinic.example" in page and 'name="email"' not in page
