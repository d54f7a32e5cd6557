"""The log of sign-ins: what a row has, and that it is append-only."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.urls import reverse

from clinic.audit.browsers import describe_browser
from clinic.audit.models import SignInEvent, SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.models import Role
from tests.factories import UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def ask(user=None, **headers):
    request = RequestFactory().post("/", **{"REMOTE_ADDR": "192.0.2.77", "HTTP_USER_AGENT": FIREFOX, **headers})
    request.user = user or AnonymousUser()
    return request


def write(user, kind="signed-in", request=None):
    return record_sign_in(user=user, kind=kind, request=request, now=NOON)


def test_event_has_the_account_the_block_of_addresses_and_the_kind_of_browser(front_desk):
    event = write(front_desk, request=ask())
    event.refresh_from_db()
    assert (event.user, event.kind, event.at, event.by) == (front_desk, SignInKind.SIGNED_IN, NOON, None)
    assert (event.network, event.browser) == ("192.0.2.0/24", "Firefox on Windows")


def test_event_names_who_did_it_when_that_was_another_account(front_desk, charlie):
    assert write(front_desk, "roles-changed", ask(charlie)).by_id == charlie.pk
    assert write(front_desk, "password-changed", ask(front_desk)).by_id is None


def test_event_has_no_account_network_or_browser_when_they_are_unknown(front_desk):
    assert write(None, "failed", ask(REMOTE_ADDR="", HTTP_USER_AGENT="")).user_id is None
    unknown, by_command = SignInEvent.objects.get(), write(front_desk, "emergency")
    assert {unknown.network, unknown.browser, by_command.network, by_command.browser} == {""}


def test_network_of_ipv6_is_the_site(front_desk):
    event = write(front_desk, request=ask(REMOTE_ADDR="2001:db8:aaaa:bbbb:cccc::1"))
    assert event.network == "2001:db8:aaaa::/48"


def test_unknown_kind_is_refused(front_desk):
    with pytest.raises(ValueError, match="dreamed"):
        write(front_desk, "dreamed")
    with pytest.raises(IntegrityError, match="sign_in_event_kind_is_known"), transaction.atomic():
        SignInEvent.objects.create(user=front_desk, kind="dreamed", at=NOON)


@pytest.mark.parametrize("kind", SignInKind.values)
def test_every_kind_is_written(kind, front_desk):
    assert write(front_desk, kind, ask()).get_kind_display()


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (X11; CrOS x86_64 1) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on ChromeOS"),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (compatible) Firefox/1", "Firefox"),
        ("curl/8.9.1", ""),
        ("", ""),
    ],
)
def test_browser_is_described_by_family_and_system(user_agent, browser):
    assert describe_browser(user_agent) == browser


def test_event_cannot_be_changed_or_deleted(front_desk):
    event = write(front_desk)
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        SignInEvent.objects.update(kind="failed")
    with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        event.delete()
    assert SignInEvent.objects.get().kind == "signed-in"


@pytest.mark.parametrize(
    ("table", "trigger"),
    [
        ("audit_signinevent", "sign_in_event_is_not_truncated"),
        ("audit_accessevent", "access_event_is_not_truncated"),
    ],
)
def test_log_cannot_be_truncated(table, trigger):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        with pytest.raises(IntegrityError, match=table), transaction.atomic():
            cursor.execute(f"TRUNCATE {table}")
        transaction.set_rollback(True)


def test_list_shows_events_only_with_the_permission(client, charlie):
    write(charlie, request=ask())
    write(None, "failed", ask())
    page = reverse("admin:audit_signinevent_changelist")
    client.force_login(UserFactory(name="Theo Strong", roles=[Role.EDITOR, Role.THERAPIST]))
    assert client.get(page).status_code == 403
    client.force_login(UserFactory(name="Ada Audit", roles=[Role.AUDITOR]))
    shown = client.get(page)
    assert "Firefox on Windows" in shown.text and "192.0.2.0/24" in shown.text
    assert [str(charlie) in shown.text, "an unknown account" in shown.text] == [True, True]


def test_list_costs_the_same_queries_at_one_and_thirty_rows(client, charlie, django_assert_max_num_queries):
    page = reverse("admin:audit_signinevent_changelist")
    client.force_login(UserFactory(name="Ada Audit", roles=[Role.AUDITOR]))

    def count_queries():
        with django_assert_max_num_queries(40) as queries:
            client.get(page)
        return len(queries)

    write(charlie, request=ask())
    client.get(page)
    before = count_queries()
    for _ in range(29):
        write(UserFactory(), "signed-in", ask())
    assert count_queries() == before
