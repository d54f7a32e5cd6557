"""Values that cannot be decrypted: the page answers 503 with a phone number, and monitoring reports it."""

import secrets

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clinic.audit.models import UnopenedValue
from clinic.audit.unopened import note_unopened
from tests.assessments.answering import page_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(response):
    response.answers = {"about.age": ["18-39"]}
    response.save()
    return response


def test_intake_page_says_what_to_do_when_its_key_is_missing(client, token, answered, settings):
    start = reverse("assessments:start", args=[token])
    kept, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, {"other": secrets.token_bytes(32)}

    for answer in (client.get(start), client.post(page_url(token, "safety"), {"seen": ["rf.leg"], "rf.leg": ["none"]})):
        assert answer.status_code == 503
        assert "+16035550123" in answer.text
        assert str(answered.pk) not in answer.text and "local" not in answer.text and "For staff" not in answer.text

    health = client.get("/health/")
    assert health.status_code == 503
    assert len(health.json()["reasons"]) == 1
    assert str(answered.pk) not in health.text

    settings.ENCRYPTION_KEYS = kept
    assert client.get(start).status_code == 200
    assert client.get("/health/").status_code == 200


def test_staff_page_names_the_row_only_in_the_log_when_a_value_is_damaged(client, charlie, answered, caplog):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE assessments_response SET answers = answers || '!'::bytea WHERE id = %s", [answered.pk])
    client.force_login(charlie)

    answer = client.get(reverse("admin:assessments_response_change", args=[answered.pk]))

    assert answer.status_code == 503
    assert "For staff" in answer.text
    assert f"assessments.response.answers:{answered.pk}" in caplog.text
    assert UnopenedValue.objects.get().place == f"assessments.response.answers:{answered.pk}"
    assert client.get("/health/").status_code == 503


@pytest.mark.parametrize("name", ["gone.response.answers", "assessments.gone.answers", "assessments.response.gone"])
def test_value_of_a_table_or_column_that_was_dropped_is_no_alarm(client, answered, name):
    note_unopened(place=f"{name}:{answered.pk}", now=timezone.now())
    assert client.get("/health/").status_code == 200
