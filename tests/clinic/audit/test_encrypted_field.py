"""The encrypted field: a value is readable only through its own row, and appears nowhere else in the clear."""

import logging
import secrets
import uuid

import pytest
from django.core import serializers
from django.db import connection, models
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clinic.audit.fields import EncryptedJSONField, PlainValueRefused
from clinic.audit.rotation import rotate_field
from clinic.audit.sealing import DecryptionFailed

CANARY = "a hip that hurts at night"

with isolate_apps("clinic.audit"):

    class Diary(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        entry = EncryptedJSONField(null=True)
        note = models.CharField(max_length=20, blank=True)

        class Meta:
            app_label = "audit"

        def __str__(self):
            return f"Diary {self.pk}"


@pytest.fixture
def diaries(db):
    with connection.schema_editor() as editor:
        editor.create_model(Diary)
    return Diary.objects


def raw_entry(diary) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry FROM audit_diary WHERE id = %s", [diary.pk])
        return bytes(cursor.fetchone()[0])


def write_raw(diary, token: bytes):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_diary SET entry = %s WHERE id = %s", [token, diary.pk])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text(), json_values))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_value_is_read_back_as_saved(diaries, value):
    diary = diaries.create(entry=value)

    assert diaries.get(pk=diary.pk).entry == value


def test_table_holds_no_readable_value(diaries):
    diary = diaries.create(entry={"where": CANARY})

    assert CANARY.encode() not in raw_entry(diary)
    assert raw_entry(diary) != raw_entry(diaries.create(entry={"where": CANARY}))


def test_null_is_stored_as_null(diaries):
    diary = diaries.create(entry=None)

    assert diaries.get(pk=diary.pk).entry is None
    assert diaries.filter(entry=None).exists()


def test_change_inside_a_value_is_saved(diaries):
    diary = diaries.create(entry={"pages": []})
    read = diaries.get(pk=diary.pk)
    read.entry["pages"].append(CANARY)
    read.save()

    assert diaries.get(pk=diary.pk).entry == {"pages": [CANARY]}


def test_stored_token_is_unchanged_when_the_value_was_not_read(diaries):
    diary = diaries.create(entry={"where": CANARY})
    before = raw_entry(diary)
    read = diaries.get(pk=diary.pk)
    read.note = "seen"
    read.save()

    assert raw_entry(diary) == before


def test_rows_can_be_listed_when_the_key_is_missing(diaries, settings):
    diary = diaries.create(entry={"where": CANARY})
    settings.ENCRYPTION_KEYS = {"other": secrets.token_bytes(32)}
    read = diaries.get(pk=diary.pk)

    assert read.note == ""
    with pytest.raises(DecryptionFailed, match="needs the key 'local'"):
        _ = read.entry


def test_token_does_not_decrypt_when_copied_to_another_row(diaries):
    alice, bob = diaries.create(entry={"where": CANARY}), diaries.create(entry={})
    write_raw(bob, raw_entry(alice))

    with pytest.raises(DecryptionFailed, match=str(bob.pk)):
        _ = diaries.get(pk=bob.pk).entry


def test_copy_is_refused_when_a_row_is_saved_under_another_key(diaries):
    diary = diaries.create(entry={"where": CANARY})
    copy = diaries.get(pk=diary.pk)
    copy.pk, copy._state.adding = uuid.uuid4(), True

    with pytest.raises(DecryptionFailed):
        copy.save()


@pytest.mark.parametrize("position", [0, 1, 3, 10, 25, -1])
def test_token_does_not_decrypt_when_one_bit_changed(diaries, position):
    diary = diaries.create(entry={"where": CANARY})
    token = bytearray(raw_entry(diary))
    token[position] ^= 1
    write_raw(diary, bytes(token))

    with pytest.raises(DecryptionFailed) as refusal:
        _ = diaries.get(pk=diary.pk).entry
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize("token", [b"", b"\x01", b"\x01\x05local", b'{"where": "plain"}'])
def test_bytes_that_are_not_a_token_do_not_decrypt(diaries, token):
    diary = diaries.create(entry={})
    write_raw(diary, token)

    with pytest.raises(DecryptionFailed):
        _ = diaries.get(pk=diary.pk).entry


def test_value_is_in_no_repr_log_query_or_dump(diaries, caplog, django_assert_num_queries):
    with caplog.at_level(logging.DEBUG), django_assert_num_queries(2) as queries:
        diary = diaries.create(entry={"where": CANARY})
        read = diaries.get(pk=diary.pk)
    shown = [repr(read), str(read.__dict__), caplog.text, str(queries.captured_queries)]

    assert not any(CANARY in text for text in [*shown, serializers.serialize("json", [read])])


def test_error_does_not_repeat_the_value_when_json_cannot_encode_it(diaries):
    with pytest.raises(TypeError) as refusal:
        diaries.create(entry={"where": {CANARY}})
    assert CANARY not in str(refusal.value)


def test_query_by_value_is_refused(diaries):
    diaries.create(entry={})

    with pytest.raises(PlainValueRefused):
        diaries.update(entry={"where": CANARY})
    with pytest.raises(PlainValueRefused):
        diaries.filter(entry={"where": CANARY}).exists()


def test_values_survive_when_keys_are_rotated(diaries, settings):
    entries = {diaries.create(entry={"n": n}).pk: {"n": n} for n in range(5)}
    diaries.create(entry=None)
    old, new = settings.ENCRYPTION_KEYS, {"2027a": secrets.token_bytes(32)}

    settings.ENCRYPTION_KEYS = new | old
    assert rotate_field(Diary._meta.get_field("entry")) == (5, 0)
    assert rotate_field(Diary._meta.get_field("entry")) == (0, 0)
    settings.ENCRYPTION_KEYS = new

    assert {diary.pk: diary.entry for diary in diaries.exclude(entry=None)} == entries


def test_rotation_stops_when_a_value_does_not_decrypt(diaries, settings):
    alice, bob = diaries.create(entry={"where": CANARY}), diaries.create(entry={})
    write_raw(bob, raw_entry(alice))
    settings.ENCRYPTION_KEYS = {"2027a": secrets.token_bytes(32)} | settings.ENCRYPTION_KEYS

    with pytest.raises(DecryptionFailed, match=str(bob.pk)):
        rotate_field(Diary._meta.get_field("entry"))
