"""What a role may not see is on no page of the admin: each field of a patient, for each role, on every page.

Pages are opened by their addresses and by each filter, sort order and search of a list.
"""

import html
import logging
import re

import pytest
import time_machine
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpResponseForbidden
from django.urls import reverse

from clinic.practice.models import Role
from education.models import Topic
from tests.clinic.admin_pages import address_of, pages_of, routes_of_the_admin
from tests.clinic.canaries import CANARIES, plant, seen_by
from tests.factories import TherapistFactory, UserFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db

QUERY = re.compile(r'href="(\?[^"]*)"')
MOST_QUERIES = 6  # of one list: filters, and one sort order
# Lists of what has no patient: their filters are not tried.
WITHOUT_PATIENTS = {
    "practice_user_changelist",
    "practice_therapist_changelist",
    "practice_cleanuprun_changelist",
    "audit_signinevent_changelist",
    "booking_service_changelist",
    "booking_openinghours_changelist",
    "booking_calendarfeed_changelist",
    "education_topic_changelist",
    "education_article_changelist",
    "education_picture_changelist",
    "assessments_questionnaire_changelist",
    "assessments_rulesignoff_changelist",
    "outbox_messagerule_changelist",
}
VISITS = "/admin/booking/appointment/"
BLOCK = {"kind": "closure", "starts_at": "2026-12-01T08:00", "ends_at": "2026-12-01T20:00"}


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.setattr("clinic.urls.handler403", lambda request, exception: HttpResponseForbidden())
    logging.disable(logging.CRITICAL)
    with time_machine.travel(NOON, tick=False):
        rows = plant()
        yield rows | {"practice.user": str(UserFactory(name="Una User").pk)}
    logging.disable(logging.NOTSET)


def sign_in(client, role):
    user = UserFactory(name=f"Rosa {role}", roles=[role])
    if role == "therapist":
        TherapistFactory(user=user)
    client.force_login(user)
    return user


def open_everything(client, rows):
    """Yield (page's name, text) of every page of the admin, its filters, sort orders and searches."""
    known = pages_of(rows, ContentType.objects.get_for_model(Topic).pk)
    for name, route in routes_of_the_admin().items():
        for page in known[name]:
            address = address_of(route, page.args)
            if page.opens is not None:
                response = client.get(address)
                yield name, text_of(response)
                if name.endswith("_changelist") and name not in WITHOUT_PATIENTS and response.status_code == 200:
                    yield from ((name, text) for text in open_list(client, address, response.text))
            elif name != "logout":
                yield name, post(client, address, page.data)
    blocking, holidays = reverse("admin:booking_hoursoverride_add"), reverse("admin:booking_hoursoverride_holidays")
    yield "block time", post(client, blocking, BLOCK)
    yield "holidays", post(client, holidays, {"on": "2026-12-25"})
    yield "book a visit", post(client, reverse("admin:booking_appointment_add"), {"find": "Flagcanary", "look_up": "1"})
    zone = {"time_zone": "America/Denver", "_save": "1"}
    yield "zone", post(client, reverse("admin:practice_clinic_change", args=[1]), zone)


def open_list(client, address, text):
    queries = list(dict.fromkeys(QUERY.findall(text)))
    sorts = [query for query in queries if "o=" in query]
    for query in sorts[:1] + [query for query in queries if "o=" not in query][:MOST_QUERIES]:
        yield text_of(client.get(address + html.unescape(query)))
    for word in ("canary", "RC-CANAR"):
        found = client.post(address, {"q": word})
        if found.status_code in (302, 303):
            yield text_of(client.get(found["Location"]))


def post(client, address, data) -> str:
    """Return the text of the response to a POST, which is undone."""
    before = transaction.savepoint_create()
    text = text_of(client.post(address, data))
    transaction.savepoint_rollback(before)
    return text


def text_of(response) -> str:
    return html.unescape(response.text) + response.headers.get("Location", "")


@pytest.mark.parametrize("role", Role.values)
def test_role_sees_the_fields_that_it_may_see_and_no_other(client, rows, role):
    sign_in(client, role)
    shown = {field: set() for field in CANARIES}
    for name, text in open_everything(client, rows):
        for field, canaries in CANARIES.items():
            is_own_page = field == "source article" and name.startswith("education_")
            if not is_own_page and any(canary in text for canary in canaries):
                shown[field].add(name)
    expected = {field: may_see[role] for field, may_see in seen_by().items()}
    wrong = {field: sorted(names) for field, names in shown.items() if bool(names) != expected[field]}
    assert wrong == {}


def test_refusal_shows_no_field(client, db):
    with time_machine.travel(NOON, tick=False):
        rows = plant()
        sign_in(client, "front-desk")
        for model in ("assessments.flag", "assessments.response"):
            response = client.get(reverse(f"admin:{model.replace('.', '_')}_change", args=[rows[model]]))
            assert response.status_code == 403
            assert not [one for canaries in CANARIES.values() for one in canaries if one in response.text]


def test_table_of_fields_has_every_role_and_canary():
    table = seen_by()
    assert table.keys() == CANARIES.keys()
    assert all(set(cells) == set(Role.values) and any(cells.values()) for cells in table.values())


def test_filter_in_the_url_by_a_hidden_field_is_refused(client, rows):
    lookups = ("source_article__isnull=0", "source_article=1", "source_article_id__gt=0", "source_article__title=x")
    sign_in(client, "front-desk")
    for lookup in lookups:
        assert client.get(f"{VISITS}?{lookup}").status_code == 400, lookup
    sign_in(client, "therapist")
    assert client.get(f"{VISITS}?{lookups[0]}").status_code == 200


@pytest.mark.parametrize("role", Role.values)
def test_today_has_only_sections_of_the_role(client, rows, role):
    sign_in(client, role)
    sections = set(re.findall(r'<section[^>]* aria-labelledby="([\w-]+)-title"', client.get("/admin/").text))
    day = {"now", "calls", "day", "repairs", "everything"}
    expected = {
        "owner": day,
        "therapist": day | {"safety"},
        "front-desk": day,
        "editor": {"everything"},
        "auditor": {"everything"},
    }
    open_for_all = {"open"} | (
        {"safety"} if "now" in expected[role] else set()
    )  # what is left to set up; “fetch a therapist”
    assert expected[role] <= sections <= expected[role] | open_for_all
    assert ("row-flag" in client.get("/admin/").text) == (role == "therapist")
