"""Encryption keys: each key in use must be present and correct before the site serves or encrypts anything."""

import secrets

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from assessments.models import Response
from clinic.audit import keys
from clinic.audit.keys import KeysLost, find_key_faults, require_keys
from clinic.audit.models import KeyInUse
from tests.clinic.audit.answers import CANARY, answer_something

pytestmark = pytest.mark.django_db

FIRST, SECOND = {"2026a": secrets.token_bytes(32)}, {"2026b": secrets.token_bytes(32)}
WRONG = {"2026a": secrets.token_bytes(32)}


@pytest.fixture(autouse=True)
def first_key(settings, passed_keys):
    """A site with one key, none of whose processes has started."""
    settings.ENCRYPTION_KEYS = FIRST
    passed_keys.clear()


def forget_notes():
    """Delete all key records, as in a database of a release that recorded no keys."""
    KeyInUse.objects.all().delete()


def noted():
    return set(KeyInUse.objects.values_list("key_id", flat=True))


def test_start_on_an_empty_database_records_the_newest_key(settings):
    settings.ENCRYPTION_KEYS = SECOND | FIRST
    require_keys()
    assert noted() == {"2026b"}


def test_first_value_records_its_key_when_no_process_has_started():
    answer_something()
    assert noted() == {"2026a"}


def test_encrypting_costs_no_query_once_the_process_has_checked_its_keys(passed_keys, django_assert_num_queries):
    response = answer_something()
    passed_keys.add("2026a")
    with django_assert_num_queries(1):
        response.save(update_fields=["answers"])


@pytest.mark.parametrize("how", ["noted", "of a version that noted none"])
def test_start_is_refused_and_names_the_key_when_a_key_in_use_is_missing(settings, how):
    answer_something()
    if how != "noted":
        forget_notes()
    settings.ENCRYPTION_KEYS = SECOND
    with pytest.raises(KeysLost, match="lacks the key '2026a'") as refusal:
        require_keys()
    assert CANARY not in str(refusal.value)
    assert "2026b" not in noted()


@pytest.mark.parametrize("how", ["noted", "of a version that noted none"])
def test_start_is_refused_and_names_the_key_when_another_key_has_its_id(settings, how):
    answer_something()
    if how != "noted":
        forget_notes()
    settings.ENCRYPTION_KEYS = WRONG
    with pytest.raises(KeysLost, match="wrong key '2026a'"):
        require_keys()


def test_start_names_every_missing_key(settings):
    answer_something()
    settings.ENCRYPTION_KEYS = SECOND | FIRST
    answer_something()
    settings.ENCRYPTION_KEYS = {"2027a": secrets.token_bytes(32)}
    with pytest.raises(KeysLost) as refusal:
        require_keys()
    assert "2026a" in str(refusal.value) and "2026b" in str(refusal.value)


def test_start_records_keys_when_a_database_of_an_earlier_release_has_none(settings):
    answer_something()
    settings.ENCRYPTION_KEYS = SECOND | FIRST
    forget_notes()
    require_keys()
    assert noted() == {"2026a", "2026b"}


def test_start_reads_no_answers_while_every_key_is_present(django_assert_max_num_queries):
    answer_something()
    with django_assert_max_num_queries(6) as captured:
        require_keys()
    assert not any("assessments_" in query["sql"] for query in captured.captured_queries)


def test_key_that_encrypted_nothing_can_be_replaced(settings):
    require_keys()
    settings.ENCRYPTION_KEYS = WRONG
    require_keys()
    assert find_key_faults() == []
    settings.ENCRYPTION_KEYS = SECOND
    require_keys()
    assert noted() == {"2026b"}


def test_old_key_can_be_removed_after_rotation(settings, capsys):
    response = answer_something()
    settings.ENCRYPTION_KEYS = SECOND | FIRST
    call_command("rotate_encryption_keys")
    settings.ENCRYPTION_KEYS = SECOND
    require_keys()
    assert noted() == {"2026b"}
    assert Response.objects.get(pk=response.pk).answers == {"where": [CANARY]}


def test_rotation_is_refused_when_a_key_is_missing(settings):
    answer_something()
    settings.ENCRYPTION_KEYS = SECOND
    with pytest.raises(CommandError, match="lacks the key '2026a'"):
        call_command("rotate_encryption_keys")


def test_damaged_value_does_not_make_its_key_wrong(settings):
    response, _ = answer_something(), answer_something()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE assessments_response SET answers = answers || '\\x00'::bytea WHERE id = %s", [response.pk]
        )
    forget_notes()
    require_keys()
    assert noted() == {"2026a"}


def test_nothing_is_encrypted_while_a_key_is_missing(settings):
    answer_something()
    settings.ENCRYPTION_KEYS = SECOND
    with pytest.raises(KeysLost, match="2026a"):
        answer_something()


def test_health_check_fails_when_another_process_uses_a_key_that_is_missing_here(settings, client):
    settings.ENCRYPTION_KEYS = SECOND | FIRST
    answer_something()
    settings.ENCRYPTION_KEYS = FIRST
    health = client.get("/health/")
    assert health.status_code == 503
    (reason,) = health.json()["reasons"]
    assert "ENCRYPTION_KEYS" in reason and "lacks the key '2026b'" in reason
    assert CANARY not in health.text
    settings.ENCRYPTION_KEYS = SECOND | FIRST
    assert client.get("/health/").status_code == 200


@pytest.mark.parametrize("missing", ["DROP TABLE audit_keyinuse", "ALTER TABLE assessments_score DROP COLUMN result"])
def test_start_checks_the_existing_tables_when_migrations_have_not_run(settings, missing):
    answer_something()
    with connection.cursor() as cursor:
        cursor.execute(missing)  # rolled back at the end of the test
    require_keys()
    settings.ENCRYPTION_KEYS = SECOND
    with pytest.raises(KeysLost, match="2026a"):
        require_keys()


@pytest.mark.django_db(transaction=True)
def test_started_process_does_not_check_again(passed_keys, django_assert_num_queries):
    require_keys()
    assert passed_keys == {"2026a"}
    with django_assert_num_queries(0):
        keys.require_keys_once()


def test_process_checks_again_when_its_start_was_rolled_back(passed_keys):
    with transaction.atomic():
        require_keys()
        transaction.set_rollback(True)
    assert passed_keys == set()
    assert noted() == set()
