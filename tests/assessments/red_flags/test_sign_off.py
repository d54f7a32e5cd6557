"""Sign-off of the rules by a therapist, which every summary shows."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments.models import RuleSignOff
from assessments.red_flags.definitions import digest_rules
from assessments.red_flags.sign_off import AlreadySignedOff, TherapistNeeded, find_sign_off, sign_off_rules
from clinic.audit.models import AccessEvent
from clinic.practice.models import Therapist
from tests.world import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def therapist(charlie):
    return Therapist.objects.create(user=charlie, name="Charlie Hill", slug="charlie-hill", credentials="PT, DPT")


def sign_url():
    return reverse("admin:assessments_rules_sign")


def test_summary_names_the_signer_and_the_date(client, response, charlie, therapist):
    client.force_login(charlie)
    url = reverse("admin:assessments_response_change", args=[response.pk])
    assert "version 1, awaiting sign-off" in client.get(url).text
    sign_off_rules(by=charlie, digest=digest_rules(), now=NOW)
    page = client.get(url).text
    assert "Charlie Hill, PT, DPT" in page and "Nov 23, 2026" in page and "awaiting sign-off" not in page


def test_page_of_rules_shows_all_rules_and_lets_a_therapist_sign(client, loaded, charlie, therapist, rules):
    client.force_login(charlie)
    url = reverse("admin:assessments_rulesignoff_changelist")
    page = client.get(url)
    for one in (*rules.rules, *rules.signals):
        assert f">{one.id}<" in page.text
    assert client.post(sign_url(), {"digest": digest_rules()}).status_code == 303
    assert find_sign_off().signed_by == therapist
    assert "Sign off version" not in client.get(url).text
    event = AccessEvent.objects.get(object_type="assessments.rulesignoff")
    assert (event.actor, event.action) == (charlie, "E")


def test_user_who_is_not_a_therapist_cannot_sign(client, loaded, charlie):
    client.force_login(charlie)
    assert client.post(sign_url(), {"digest": digest_rules()}).status_code == 403
    with pytest.raises(TherapistNeeded):
        sign_off_rules(by=charlie, digest=digest_rules(), now=NOW)
    assert not RuleSignOff.objects.exists()


def test_rules_are_signed_once_and_only_the_version_that_was_shown(client, loaded, charlie, therapist):
    with pytest.raises(LookupError):
        sign_off_rules(by=charlie, digest="0" * 64, now=NOW)
    sign_off_rules(by=charlie, digest=digest_rules(), now=NOW)
    with pytest.raises(AlreadySignedOff):
        sign_off_rules(by=charlie, digest=digest_rules(), now=NOW)
    client.force_login(charlie)
    assert client.post(sign_url(), {"digest": "nonsense"}).status_code == 303


def test_signature_of_changed_rules_does_not_count(charlie, therapist):
    RuleSignOff.objects.create(version=1, digest="a" * 64, signed_by=therapist, signed_at=NOW)
    assert find_sign_off() is None
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleSignOff.objects.create(version=1, digest="a" * 64, signed_by=therapist, signed_at=NOW)


def test_stranger_sees_no_rules(client, loaded):
    assert client.get(reverse("admin:assessments_rulesignoff_changelist")).status_code == 302
    assert client.post(sign_url()).status_code == 302
