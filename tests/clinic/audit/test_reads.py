"""Every page that shows a patient's name, address or phone number is a line of the audit log.

Every admin page and every page behind a patient's link is requested by every method. The details of each patient are
canaries: where one is shown, a line must name that patient, and the page must have added one line only.
"""

import logging
from dataclasses import dataclass

import pytest
import time_machine
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from booking.schedule.visit_links import visit_path
from booking.wait_list.entries import Wishes, join_wait_list
from clinic.audit import middleware
from clinic.audit.access import record_access, record_read
from clinic.audit.middleware import RecordsReading
from clinic.audit.models import AccessEvent, Action, Who
from clinic.audit.reading import ReadTooLate
from clinic.practice.models import Patient, Proof, Role, User
from clinic.practice.values.phone import format_phone
from education.models import Topic
from tests.clinic.admin_house import IRMAS_PHONE, furnish
from tests.clinic.admin_pages import address_of, pages_of, routes_of_the_admin
from tests.clinic.link_pages import PATIENT_PAGES, open_page
from tests.factories import PatientFactory, UserFactory
from tests.world import NINE_ON_TUESDAY, NOON, NOW, book

pytestmark = pytest.mark.django_db

FORGETFUL = "clinic.audit.middleware.record_page"
INSERT = 'INSERT INTO "audit_accessevent"'


@dataclass(frozen=True)
class Request:
    """One request of a page, as a test sends it."""

    name: str
    method: str
    address: str
    data: dict


def give_canaries() -> dict[Patient, tuple[str, ...]]:
    """Give each patient an address and a number of their own. Return what would show that a page names them."""
    marks = {}
    for number, patient in enumerate(Patient.objects.order_by("name"), start=10):
        if patient.name.startswith("Paul"):
            patient.email = "suzycanary@example.com"  # on the list of blocked addresses
        else:
            patient.email = f"mail{number}canary@example.com"
        patient.phone = IRMAS_PHONE if patient.name.startswith("Irma") else f"+160355502{number}"
        patient.save(update_fields=["email", "phone"])
        marks[patient] = (patient.name, patient.email, patient.phone, format_phone(patient.phone))
    return marks


def find_faults(marks, response, events, queries, *, is_get) -> list[str]:
    """Return what is wrong with the lines that a page added."""
    text = response.text if not response.streaming else ""
    shown = {patient for patient, signs in marks.items() if any(sign in text for sign in signs)}
    named = {patient_id for event in events for patient_id in event.patient_ids}
    inserts = sum(INSERT in query["sql"] for query in queries)
    reads = [event for event in events if event.action == Action.READ]
    faults = [f"shows {patient.name} without a line" for patient in shown if patient.pk not in named]
    if shown and (inserts != 1 if is_get else inserts < 1 or len(reads) > 1):
        faults.append(f"{inserts} inserts, {len(reads)} of them reads")
    return faults


def ask(request: Request, client: Client) -> tuple[HttpResponse, list[AccessEvent], list[dict]]:
    """Send `request`, undo what it did, and return the response, the lines it added, and its queries."""
    last = AccessEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    before = transaction.savepoint_create()  # not atomic(): rate limits refuse to be spent in a block
    with CaptureQueriesContext(connection) as queries:
        if request.method == "POST":
            response = client.post(request.address, request.data)
        else:
            response = client.generic(request.method, request.address)
    events = list(AccessEvent.objects.filter(id__gt=last))
    transaction.savepoint_rollback(before)
    return response, events, queries.captured_queries


@pytest.fixture
def house():
    """Yield the patients' canaries and every request of the admin, in a furnished clinic at NOON."""
    with time_machine.travel(NOON, tick=False):
        rows = furnish() | {"practice.user": str(UserFactory(name="Una User").pk)}
        marks = give_canaries()
        pages, routes = pages_of(rows, ContentType.objects.get_for_model(Topic).pk), routes_of_the_admin()
        requests = [
            Request(name, method, address_of(route, page.args), page.data if method == "POST" else {})
            for name, route in routes.items()
            for page in pages[name]
            for method in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
        ]
        logging.disable(logging.CRITICAL)
        yield marks, [*requests, *more_requests(rows, marks)]
        logging.disable(logging.NOTSET)


def more_requests(rows, marks) -> list[Request]:
    """Return requests that the table of pages has no data for: refused forms, actions and filters of lists."""
    change = reverse("admin:practice_patient_change", args=[rows["practice.patient"]])
    twin = next(patient for patient in marks if patient.name.startswith("Vera"))
    typed = {"name": twin.name, "email": twin.email, "phone": "", "time_zone": ""}
    messages = reverse("admin:outbox_message_changelist")
    acted = {"action": "resend", "_selected_action": [rows["outbox.message"]]}
    return [
        Request("a refused patient", "POST", reverse("admin:practice_patient_add"), typed),
        Request("a patient with no name", "POST", change, typed | {"name": ""}),
        Request("a saved patient", "POST", change, typed | {"email": "new@example.com"}),
        Request("an action on messages", "POST", messages, acted),
        Request("messages of one patient", "GET", f"{messages}?patient__id__exact={twin.pk}", {}),
        Request("patients by a search", "POST", reverse("admin:practice_patient_changelist"), {"q": "vera"}),
    ]


def walk(house, client) -> tuple[list[str], set[str]]:
    """Return the faults of all requests, and the names of the pages that showed a patient."""
    marks, requests = house
    owner, faults, showed = User.objects.get(name="Olga Owner"), [], set()
    client.force_login(owner)
    session = client.cookies["sessionid"].value
    for request in requests:
        client.cookies["sessionid"] = session  # a page signed out; that was undone
        response, events, queries = ask(request, client)
        found = find_faults(marks, response, events, queries, is_get=request.method in ("GET", "HEAD"))
        faults += [f"{request.method} {request.name}: {fault}" for fault in found]
        if any(sign in response.text for signs in marks.values() for sign in signs):
            showed.add(request.name)
    return faults, showed


@pytest.mark.long
def test_every_admin_page_that_shows_a_patient_is_one_line(house, client):
    client.raise_request_exception = False
    faults, showed = walk(house, client)
    assert not faults, "\n".join(faults)
    assert {
        "index",
        "autocomplete",
        "practice_patient_changelist",
        "practice_patient_history",
        "outbox_suppression_changelist",
        "outbox_inboundtext_changelist",
        "assessments_flag_changelist",
        "assessments_response_change",
        "booking_waitlistentry_changelist",
    } <= showed


@pytest.mark.long
def test_walk_finds_every_page_when_no_line_is_written(house, client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(FORGETFUL, lambda reading, **options: None)
    marks, requests = house
    faults, showed = walk((marks, [one for one in requests if one.method == "GET"]), client)
    assert len(showed) > 15
    assert {fault.split(":")[0] for fault in faults} == {f"GET {name}" for name in showed}


@pytest.mark.long
def test_page_of_the_admin_costs_at_most_one_query_more_than_without_its_line(house, client, settings):
    client.raise_request_exception = False
    _, requests = house
    client.force_login(User.objects.get(name="Olga Owner"))
    gets = [request for request in requests if request.method == "GET"]
    for request in gets:
        ask(request, client)  # fills the caches
    counted = [len(ask(request, client)[2]) for request in gets]
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "RecordsReading" not in one]
    plain = Client(raise_request_exception=False)
    plain.force_login(User.objects.get(name="Olga Owner"))
    without = [len(ask(request, plain)[2]) for request in gets]
    more = {request.name: after - before for request, after, before in zip(gets, counted, without, strict=True)}
    assert {name: count for name, count in more.items() if count not in (0, 1)} == {}
    assert 1 in more.values()


# Pages behind patients' links


@pytest.fixture
def visit(evaluation):
    call_command("load_definitions", verbosity=0)
    evaluation.intake_slug = "hip-running-intake"
    evaluation.save()
    with time_machine.travel(NOW, tick=False):
        visit = book(evaluation, name="Lina Linkcanary", email="linkcanary@example.com")
        PatientFactory(name="Otto Othercanary", email="linkcanary@example.com")
        wishes = Wishes(NOW.date(), NINE_ON_TUESDAY.date())
        join_wait_list(
            patient=visit.patient, service=evaluation, mode="in_person", wishes=wishes, appointment=visit, now=NOW
        )
        yield visit


def marks_of_the_link() -> dict[Patient, tuple[str, ...]]:
    lina, otto = Patient.objects.get(name="Lina Linkcanary"), Patient.objects.get(name="Otto Othercanary")
    return {lina: (lina.name, lina.email, lina.phone), otto: (otto.name,)}


def open_by_link(name, visit, proof, method):
    last = AccessEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
    before = transaction.savepoint_create()
    with CaptureQueriesContext(connection) as queries:
        response = open_page(name, visit, proof, method)
    events = list(AccessEvent.objects.filter(id__gt=last))
    transaction.savepoint_rollback(before)
    return response, events, queries.captured_queries


@pytest.mark.parametrize("method", ["get", "post", "head"])
@pytest.mark.parametrize("proof", [Proof.SHOWN, Proof.MAILED])
def test_every_page_behind_a_link_that_shows_its_patient_is_one_line(visit, proof, method):
    marks, faults, opened = marks_of_the_link(), [], 0
    for name in sorted(PATIENT_PAGES):
        response, events, queries = open_by_link(name, visit, proof, method)
        found = find_faults(marks, response, events, queries, is_get=method != "post")
        faults += [f"{method} {name}: {fault}" for fault in found]
        if response.status_code == 200 and method == "get":
            opened += 1
            assert [(one.who, one.actor, one.page) for one in events] == [(Who.LINK, None, name)], name
    assert not faults, "\n".join(faults)
    assert opened > 5 or method != "get"


def test_form_by_link_that_changes_something_is_a_line_even_when_it_redirects(visit):
    response, events, _ = open_by_link("booking:messages", visit, Proof.MAILED, "post")
    assert response.status_code == 303
    assert [(one.who, one.action, one.page) for one in events] == [(Who.LINK, Action.EXECUTE, "booking:messages")]
    assert [one.patient_ids for one in events] == [[visit.patient_id]]


def test_refused_link_is_no_line(visit):
    response, events, _ = open_by_link("booking:welcome_back", visit, Proof.SHOWN, "get")
    assert (response.status_code, events) == (403, [])


# Who, with which roles, from where


def test_line_has_the_roles_at_that_time_and_the_block_of_the_address(client, alice):
    tess = UserFactory(name="Tess Strong", roles=[Role.THERAPIST, Role.FRONT_DESK])
    client.force_login(tess)
    client.get(reverse("admin:practice_patient_change", args=[alice.pk]), REMOTE_ADDR="198.51.100.77")
    User.objects.filter(pk=tess.pk).update(roles=[])
    event = AccessEvent.objects.get()
    assert (event.actor, event.who, event.roles) == (tess, Who.STAFF, "therapist, front desk")
    assert (event.network, event.page) == ("198.51.100.0/24", "admin:practice_patient_change")
    assert (event.object_type, event.object_id) == ("practice.patient", str(alice.pk))


def test_superuser_is_recorded_with_all_rights(client, owner, alice):
    client.get(reverse("admin:practice_patient_changelist"))
    event = AccessEvent.objects.get()
    assert (event.roles, event.patient_ids, event.object_id) == ("all rights", [alice.pk], "")


def test_work_outside_a_request_is_by_the_site_itself(alice):
    record_access(actor=None, action="U", subject=alice, patient_id=alice.pk, now=NOON)
    record_read(actor=None, subject=alice, patient_ids=[alice.pk], now=NOON)
    events = AccessEvent.objects.order_by("id").values_list("action", "who", "page", "network")
    assert list(events) == [("U", Who.SITE, "", ""), ("R", Who.SITE, "", "")]


def test_booking_by_form_is_by_someone_outside(client, evaluation):
    with time_machine.travel(NOW, tick=False):
        client.get(reverse("booking:services"))
        client.get(reverse("booking:days", args=[evaluation.slug]))
        client.get("/")
    assert not AccessEvent.objects.exists()


def test_list_names_only_the_patients_of_its_page(client, owner):
    first = [PatientFactory(name=f"Alice {number:03}") for number in range(100)]
    PatientFactory(name="Zoe Last")
    client.get(reverse("admin:practice_patient_changelist"))
    assert set(AccessEvent.objects.get().patient_ids) == {patient.pk for patient in first}


def test_saved_form_is_one_line_of_the_change_and_a_refused_one_a_read(client, owner, alice):
    page = reverse("admin:practice_patient_change", args=[alice.pk])
    typed = {"name": alice.name, "email": alice.email, "phone": "", "time_zone": ""}
    assert client.post(page, typed).status_code == 302
    assert client.post(page, typed | {"name": ""}).status_code == 200
    assert list(AccessEvent.objects.order_by("id").values_list("action", flat=True)) == ["U", "R"]


def test_page_that_is_refused_is_no_line(client, alice):
    client.force_login(UserFactory(roles=[Role.EDITOR]))
    assert client.get(reverse("admin:practice_patient_change", args=[alice.pk])).status_code == 403
    assert not AccessEvent.objects.exists()


# If the line cannot be written


@pytest.mark.django_db(transaction=True)
def test_page_is_not_shown_when_its_line_cannot_be_written(client, owner, clinic, alice):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_accessevent ADD CONSTRAINT full_disk CHECK (at < '2000-01-01') NOT VALID")
    try:
        responses = [
            client.get(reverse("admin:practice_patient_changelist")),
            client.get(reverse("admin:practice_patient_change", args=[alice.pk])),
        ]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_accessevent DROP CONSTRAINT full_disk")
    assert [response.status_code for response in responses] == [503, 503]
    for response in responses:
        assert alice.name not in response.text and alice.email not in response.text
    assert client.get(reverse("admin:practice_patient_changelist")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_visit_is_not_shown_when_its_line_cannot_be_written(client, evaluation):
    with time_machine.travel(NOW, tick=False):
        visit = book(evaluation)
        path = visit_path(visit, now=NOW)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_accessevent ADD CONSTRAINT full_disk CHECK (at < '2000-01-01') NOT VALID")
        try:
            response = client.get(path)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE audit_accessevent DROP CONSTRAINT full_disk")
    assert response.status_code == 503
    assert visit.reference not in response.text


# Streamed responses


def answer_with(view):
    request = RequestFactory().get("/")
    request.user = User.objects.get(name="Olga Owner")
    request.resolver_match = type("Match", (), {"app_names": ["admin"], "view_name": "admin:stream"})
    return RecordsReading(view)(request)


def test_streamed_response_is_recorded_before_its_first_byte(owner, alice):
    def view(request):
        shown = Patient.objects.get()
        return StreamingHttpResponse(iter([shown.name]))

    response = answer_with(view)
    assert AccessEvent.objects.get().patient_ids == [alice.pk]
    assert response.getvalue().decode() == alice.name


def test_streamed_response_breaks_off_before_a_patient_who_is_in_no_line(owner, alice):
    def names():
        yield Patient.objects.get().name

    response = answer_with(lambda request: StreamingHttpResponse(names()))
    with pytest.raises(ReadTooLate):
        response.getvalue()


def test_error_pages_of_the_site_are_no_line(owner, alice):
    for status in sorted(middleware.SHOWS_NOTHING):
        answer_with(lambda request, status=status: HttpResponse(Patient.objects.get().pk, status=status))
    assert not AccessEvent.objects.exists()
