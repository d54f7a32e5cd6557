"""Every public page with garbage in its URL, query parameters and form fields: no server error.

The test records which names a page reads, so new parameters and fields are tested too. A new page must be added here.
"""

import logging
import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.http import QueryDict
from django.urls import get_resolver, reverse

from assessments.fhir.importing import import_questionnaire, publish_questionnaire
from assessments.intake.responses import start_published_response
from assessments.red_flags.definitions import load_questionnaires
from booking.calendar_feed.feeds import create_feed
from booking.models import SlotOffer
from clinic.practice.access.links import issue_link
from clinic.practice.models import LinkPurpose, Proof, Role, User
from education.articles.library import load_articles
from education.body.warning_signs import NONE
from tests.assessments.fhir_examples import EVERYTHING, packed
from tests.booking.waiting import wait
from tests.clinic.admin_pages import walk
from tests.factories import UserFactory
from tests.garbage import HARMFUL
from tests.world import NINE_ON_TUESDAY, NOW, TUESDAY, book

pytestmark = [pytest.mark.django_db, pytest.mark.long]

PERSON = {"name": "Alice Runner", "email": "alice@example.com", "phone": "603 555 0123", "mode": "in_person"}
DAYS = {"first_on": "2026-12-01", "last_on": "2026-12-05", "part_of_day": ""}
NO_SIGNS = {"emergency": [NONE], "urgent": [NONE]}
TYPED = (
    "int",
    "dec",
    "day",
    "instant",
    "clock",
    "word",
    "words",
    "link",
    "number",
    "mass",
    "many",
    "open",
    "open.other",
)


@dataclass(frozen=True)
class Page:
    """A public page.

    `args`: arguments of its URL. `data`: a valid form, or None for a page without one. `found`: the expected status
    of the response to the form, or to a GET if there is none.
    """

    args: dict = field(default_factory=dict)
    data: dict | None = None
    found: int = 200


@pytest.fixture
def place(clinic, evaluation, meredith, client):
    """The clinic on a Monday morning, with one row for every kind of link."""
    logging.disable(logging.CRITICAL)
    client.raise_request_exception = False
    with time_machine.travel(NOW, tick=False):
        load_questionnaires(now=NOW)
        load_articles(now=NOW)
        yield tokens(evaluation, meredith)
    logging.disable(logging.NOTSET)


def tokens(service, therapist) -> dict[str, str]:
    visit, entry = book(service), wait(service)
    offer = SlotOffer.objects.create(
        entry=entry,
        therapist=therapist,
        starts_at=NINE_ON_TUESDAY + timedelta(hours=1),
        freed_by=visit,
        freed_version=1,
        created_at=NOW,
        expires_at=NINE_ON_TUESDAY,
    )
    asked = import_questionnaire(content=packed(EVERYTHING), slug="everything", now=NOW).questionnaire
    publish_questionnaire(questionnaire=asked, by=None, now=NOW)
    intake = start_published_response(questionnaire_slug="everything", patient=visit.patient, now=NOW)
    intake.answers = {"yes": [True]}
    intake.save(update_fields=["answers"])
    rows = {"visit": visit, "waiting": entry, "offer": offer, "intake": intake, "messages": visit, "return": visit}
    made = {"patient": str(visit.patient_id)} | {
        name: link_to(row, LinkPurpose(name), visit.patient) for name, row in rows.items()
    }
    owner = User.objects.create_superuser("olga@clinic.example", name="Olga")
    return made | {"feed": create_feed(therapist=therapist, by=owner, now=NOW)}


def link_to(row, purpose, patient) -> str:
    owner = getattr(row, "patient", None) or getattr(getattr(row, "entry", None), "patient", patient)
    expires_at = NOW + timedelta(days=30)
    return issue_link(
        patient=owner, purpose=purpose, subject_id=row.pk, proof=Proof.MAILED, expires_at=expires_at, now=NOW
    )


def pages_of(links: dict[str, str]) -> dict[str, Page]:
    """Return every public page by its name."""
    time = {"slug": "evaluation", "therapist_slug": "meredith", "starts_at": "20261202T1400Z"}
    held = time | {"token": uuid.uuid4().hex}
    visit, intake, mail = ({"token": links[name]} for name in ("visit", "intake", "messages"))
    person = PERSON | {"idempotency_key": str(uuid.uuid4())}
    pages = {
        **dict.fromkeys(
            ("home", "live", "ready", "health", "robots", "sitemap", "booking:services", "booking:return_asked"), Page()
        ),
        **{f"education:{name}": Page() for name in ("index", "search", "feed", "glossary")},
        "picture": Page({"name": "abcdefgh-600x400", "width": 600}, found=404),
        "education:load_check": Page(data={"runs": "5 6", "plan": "7"}),
        "education:pain_guide": Page(data=NO_SIGNS | {"worst": "3", "morning": "usual", "is_rising": "no"}),
        "education:body_sites": Page(data=NO_SIGNS | {"place": "groin"}),
        **{f"education:{name}": Page() for name in ("exercises", "warm_up", "stretches", "strength")},
        "education:exercise": Page({"code": "bridge"}),
        "education:drawing": Page({"code": "bridge", "number": 1}),
        "education:motion": Page({"code": "bridge"}),
        "education:topic": Page({"slug": "hip-and-groin"}),
        "education:share_image": Page({"slug": "the-chain"}),
        "education:article": Page({"slug": "the-chain"}),
        "booking:days": Page({"slug": "evaluation"}),
        "booking:times": Page({"slug": "evaluation", "day": TUESDAY.isoformat()}),
        "booking:join_wait_list": Page({"slug": "evaluation"}, PERSON | DAYS, 303),
        "booking:joined_wait_list": Page({"slug": "evaluation"}),
        "booking:details": Page(time, person, 303),
        "booking:hold": Page(time, {"key": str(uuid.uuid4())}, 303),
        "booking:held": Page(held, person, 303),
        "booking:renew_hold": Page(held, {}, 303),
        "booking:release_hold": Page(held, {}, 303),
        "booking:return": Page({}, {"email": "alice@example.com"}, 303),
        "booking:unheld": Page(time, person, 303),
        "booking:confirm_address": Page({"token": "x" * 40}, {}, 404),
        "booking:address_confirmed": Page(),
        "booking:address": Page(visit, {"email": "alice.other@example.com"}, 409),
        "booking:mail_again": Page(visit, {}, 409),
        "booking:newest_link": Page(visit, {}, 303),
        "booking:first_name": Page(visit, {"use": "yes"}, 303),
        "booking:not_me": Page({}, {}, 303),
        "booking:welcome_back": Page({"token": links["return"]}, {"patient": links["patient"]}, 303),
        "booking:move_times": Page(visit | {"day": TUESDAY.isoformat()}),
        "booking:move": Page(visit | {"starts_at": "20261203T1400Z"}, {"to": "meredith", "version": "1"}, 303),
        "booking:earlier": Page(visit, {"first_on": "2026-11-24", "last_on": "2026-11-30", "part_of_day": ""}, 303),
        "booking:waiting": Page({"token": links["waiting"]}),
        "booking:leave_wait_list": Page({"token": links["waiting"]}, {}, 303),
        "booking:offer": Page({"token": links["offer"]}, {}, 303),
        "booking:feed": Page({"token": links["feed"]}),
        "assessments:screen": Page({}, {"next": "/", "article": "abcdefgh"}, 303),
        "assessments:screen_stop": Page({}, {}, 303),
        "assessments:screen_page": Page({"page": "safety"}, {"seen": ["rf.leg", "about.age"], "rf.leg": "none"}),
        "assessments:page": Page(intake | {"page": "plain"}, {"seen": TYPED, **dict.fromkeys(TYPED, "")}, 303),
        "assessments:stop": Page(intake, {"action": "callback", "level": "E"}, 303),
        "assessments:check": Page(intake, {}, 303),
        "assessments:confirm": Page(intake, {"action": "confirm", "code": "123456", "birth_on": "1990-01-01"}, 422),
        "assessments:start": Page(intake),
        "assessments:done": Page(intake, found=303),
        "booking:visit_of_answers": Page(intake, {}, 404),
        "outbox:mailgun": Page({}, {}, 404),  # no provider is in use; test_webhook_garbage.py has signed calls
        "outbox:postmark": Page({}, {}, 404),
        "outbox:twilio": Page({}, {"From": "+16035550123", "Body": "Y"}, 404),
        "outbox:twilio_status": Page({"pk": str(uuid.uuid4())}, {"MessageStatus": "failed", "ErrorCode": "1"}, 404),
        "outbox:messages": Page(mail),
        "outbox:stop": Page(mail, {}, 303),
        "outbox:start": Page(mail, {}, 303),
        "outbox:texts": Page(mail, {"choice": "both"}, 404),
    }
    pages |= {f"booking:{name}": Page(visit) for name in ("visit", "move_days", "not_coming", "calendar")}
    pages |= {f"booking:{name}": Page(visit, {}, 303) for name in ("again", "messages")}
    pages |= {f"booking:{name}": Page(visit, {"version": "1"}, 303) for name in ("cancel", "confirm")}
    return pages | {
        "booking:undo": Page(visit, {}, 303),
        "booking:here": Page(visit, {}, 409),
        "booking:not_here": Page(visit, {}, 409),
        "booking:questions": Page(visit, {}, 409),
        "booking:coming": Page(visit, {"version": "1"}),
    }


def routes() -> dict[str, str]:
    """Return all routes for visitors and patients, by name with namespace.

    Those of staff are in `tests.clinic.admin_pages` and `tests.clinic.staff.pages`.
    """
    found = {}
    for part in get_resolver().url_patterns:
        if hasattr(part, "url_patterns") and str(part.pattern) not in ("admin/", "staff/"):
            found |= {
                f"{part.app_name}:{one.name}" if part.app_name else one.name: f"{part.pattern}{route}"
                for route, one in walk(part)
            }
        elif not hasattr(part, "url_patterns"):
            found[part.name] = str(part.pattern)
    return found


@pytest.fixture
def read_names(monkeypatch):
    """Return a set of all parameters and fields that pages have read. Clear it before each page."""
    names = set()
    for method in ("__getitem__", "getlist"):
        original = getattr(QueryDict, method)

        def watched(self, key, *args, original=original, **kwargs):
            names.add(key)
            return original(self, key, *args, **kwargs)

        monkeypatch.setattr(QueryDict, method, watched)
    return names


class Visitor:
    """Requests pages and collects faulty responses. Each change to the database is rolled back."""

    def __init__(self, client, links):
        self.client, self.faults, self.name = client, [], ""
        self.pages, self.routes = pages_of(links), routes()

    def walk(self):
        """Yield (page, URL) for each page. The hip screen is started for its own pages only."""
        for name, page in self.pages.items():
            self.name = name
            self.client.cookies.clear()
            if self.name.startswith("assessments:screen_"):
                self.client.post(reverse("assessments:screen"), {"next": "/"})
            yield page, self.address(page.args)

    def address(self, args: dict) -> str:
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(args[match[1]]), self.routes[self.name])

    def ask(self, method: str, address: str, given=None, what: str = "", **options):
        before = transaction.savepoint_create()
        response = getattr(self.client, method)(address, given or {}, **options)
        transaction.savepoint_rollback(before)
        status = response.status_code
        is_silent = status >= 400 and not response.content and method != "head" and (status != 405 or method == "get")
        if status >= 500 or is_silent:
            self.faults.append(f"{method} {self.name} {what}: {status}")
        return response


@pytest.fixture
def visitor(client, place):
    visitor = Visitor(client, place)
    yield visitor
    assert not visitor.faults, "\n".join(visitor.faults)


def test_every_public_page_is_in_the_table_and_has_the_expected_status(visitor):
    assert sorted(visitor.routes.keys() ^ visitor.pages.keys()) == [], "enter new pages above"
    answers = {}
    for page, address in visitor.walk():
        response = visitor.ask("get" if page.data is None else "post", address, page.data)
        if response.status_code != page.found:
            answers[visitor.name] = response.status_code
    assert answers == {}


@pytest.mark.parametrize("role", Role.values)
def test_every_public_page_opens_for_staff_as_for_visitors(visitor, role):
    """Whatever the role and method: a link or nothing at all opens a page, never being signed in."""
    user, differing = UserFactory(roles=[role]), {}
    for page, address in visitor.walk():
        asked = {"get": None, "post": page.data, "head": None, "put": None, "delete": None, "patch": None}
        answers = {method: visitor.ask(method, address, data).status_code for method, data in asked.items()}
        visitor.client.force_login(user)
        for method, data in asked.items():
            if (status := visitor.ask(method, address, data).status_code) != answers[method]:
                differing[visitor.name, method] = (answers[method], status)
    assert differing == {}


def test_every_parameter_of_every_page_handles_garbage(visitor, read_names):
    for _, address in visitor.walk():
        read_names.clear()
        visitor.ask("get", address)
        for parameter in sorted(read_names):
            for value in HARMFUL:
                visitor.ask("get", address, {parameter: value}, f"{parameter}={value[:20]!r}")


def test_every_part_of_every_url_handles_garbage(visitor):
    spoilt = ("%00", "a%00b", "%ED%A0%80", "%FF", "%1B%5B2J", "x" * 3000, "99999999", "..%2f", "9" * 400)
    for page, _ in visitor.walk():
        for part in page.args:
            for value in spoilt:
                visitor.ask("get", visitor.address(page.args | {part: value}), what=f"<{part}> {value[:20]}")


def test_every_field_of_every_form_handles_garbage(visitor, read_names):
    """One field has garbage and the others are valid. Then the body is not decodable text."""
    for page, address in visitor.walk():
        if page.data is None:
            continue
        read_names.clear()
        visitor.ask("post", address, page.data)
        for name in sorted((read_names | page.data.keys()) - {"csrfmiddlewaretoken"}):
            for value in HARMFUL:
                visitor.ask("post", address, page.data | {name: value}, f"{name}={value[:20]!r}")
        for body in (b"name=%ED%A0%80&email=%00", b"\xff\x00\xed\xa0\x80", b"name=" + b"\xff" * 50):
            visitor.ask("post", address, body, f"{body[:20]}", content_type="application/x-www-form-urlencoded")
