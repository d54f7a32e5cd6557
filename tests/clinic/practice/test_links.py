"""Patients' links: valid, unknown, expired, revoked, or issued for another purpose."""

import hashlib
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.http import HttpResponse
from django.test import RequestFactory

from clinic.practice.access.links import LinkExpired, LinkUnknown, issue_link, open_link, revoke_links
from clinic.practice.middleware import BrokenLinkPages
from clinic.practice.models import LinkPurpose, PatientLink, Proof
from tests.factories import ClinicFactory, PatientFactory
from tests.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return PatientFactory(name="Alice Runner")


def issue(patient, *, purpose=LinkPurpose.VISIT, subject_id=None, days=30):
    return issue_link(
        patient=patient,
        purpose=purpose,
        proof=Proof.MAILED,
        subject_id=subject_id or uuid.uuid4(),
        expires_at=NOON + timedelta(days=days),
        now=NOON,
    )


def test_link_opens_when_it_is_valid(alice, django_assert_num_queries):
    visit = uuid.uuid4()
    token = issue(alice, subject_id=visit)

    with django_assert_num_queries(1):
        link = open_link(token=token, purpose=LinkPurpose.VISIT, now=NOON)
        assert (link.patient, link.subject_id) == (alice, visit)


def test_token_is_stored_only_as_a_hash(alice):
    token = issue(alice)
    link = PatientLink.objects.get()

    assert bytes(link.token_hash) == hashlib.sha256(token.encode()).digest()
    assert len(token) == 43  # 256 bits


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\x00", "né", "'; DROP TABLE", "\ud800"])
def test_link_is_unknown_when_the_token_is_made_up(token):
    with pytest.raises(LinkUnknown):
        open_link(token=token, purpose=LinkPurpose.VISIT, now=NOON)


def test_link_is_unknown_when_it_is_for_another_purpose(alice):
    token = issue(alice, purpose=LinkPurpose.INTAKE)

    with pytest.raises(LinkUnknown):
        open_link(token=token, purpose=LinkPurpose.VISIT, now=NOON)


def test_link_has_expired_when_its_end_is_reached(alice):
    token = issue(alice, days=1)
    end = NOON + timedelta(days=1)

    assert open_link(token=token, purpose=LinkPurpose.VISIT, now=end - timedelta(microseconds=1))
    with pytest.raises(LinkExpired) as refusal:
        open_link(token=token, purpose=LinkPurpose.VISIT, now=end)
    assert refusal.value.link.patient == alice


def test_link_has_expired_when_it_was_revoked(alice):
    visit = uuid.uuid4()
    old, questions = issue(alice, subject_id=visit), issue(alice, subject_id=visit, purpose=LinkPurpose.INTAKE)
    other = issue(alice)

    assert revoke_links(subject_id=visit, purposes=[LinkPurpose.VISIT], now=NOON) == 1
    assert revoke_links(subject_id=visit, purposes=[LinkPurpose.VISIT], now=NOON) == 0

    with pytest.raises(LinkExpired):
        open_link(token=old, purpose=LinkPurpose.VISIT, now=NOON)
    assert open_link(token=questions, purpose=LinkPurpose.INTAKE, now=NOON)
    assert open_link(token=other, purpose=LinkPurpose.VISIT, now=NOON)


def test_link_is_refused_when_it_would_expire_at_once(alice):
    with pytest.raises(IntegrityError, match="patient_link_expires_after_it_begins"):
        issue(alice, days=0)


def test_link_is_refused_when_its_purpose_is_unknown(alice):
    with pytest.raises(ValueError):
        issue(alice, purpose="everything")


def broken(exception):
    request = RequestFactory().get("/visits/x/")
    request.htmx = False
    return BrokenLinkPages(lambda request: HttpResponse()).process_exception(request, exception)


@pytest.mark.parametrize(("days", "status", "title"), [(1, 410, "This link has ended"), (None, 404, "does not work")])
def test_page_says_what_to_do_when_a_link_does_not_open(alice, days, status, title):
    ClinicFactory()
    token = "made-up" if days is None else issue(alice, days=days)
    with pytest.raises((LinkUnknown, LinkExpired)) as refusal:
        open_link(token=token, purpose=LinkPurpose.VISIT, now=NOON + timedelta(days=2))

    response = broken(refusal.value)
    page = response.content.decode()

    assert response.status_code == status
    assert title in page
    assert 'href="tel:+16035550123"' in page
    assert "(603) 555-0123" in page
    assert "Alice" not in page


def test_other_errors_are_not_handled():
    assert broken(ValueError()) is None
