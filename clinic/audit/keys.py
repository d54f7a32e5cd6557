"""Check that ENCRYPTION_KEYS has the keys that this database needs.

Each key is recorded before the first value is encrypted with it, together with a proof: PROOF encrypted with that key.
Reading those few rows finds a missing or wrong key. The encrypted columns are scanned only if no key is recorded yet,
or for a key that fails this check, since it may have been rotated away or never used.
"""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Func

from clinic.audit.models import KeyInUse
from clinic.audit.sealing import VERSION, DecryptionFailed, open_sealed, seal, sealed_with

PROOF = b"runclinic"
TRIED = 10  # values per field before a key is reported as wrong, since one value may be damaged
LONGEST_HEADER = 257  # bytes of a token before its nonce, with a key id of 255 bytes

# Ids of newest keys with which this process has passed `require_keys`.
_passed_with: set[str] = set()

KEY_IDS = """
    SELECT DISTINCT substring(head FROM 3 FOR get_byte(head, 1))
      FROM (SELECT substring({column} FROM 1 FOR %s) AS head FROM {table}) AS heads
     WHERE octet_length(head) > 2 AND substring(head FROM 1 FOR 1) = %s
"""
COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false))
"""


class KeysLost(RuntimeError):
    """ENCRYPTION_KEYS lacks a key, or has a wrong one, for values in the database. The message has one line per key."""


def require_keys() -> None:
    """Raise KeysLost unless ENCRYPTION_KEYS has every key in use. Then record the newest key as in use.

    Reads a few rows. Scans the encrypted columns if a recorded key fails its check or none is recorded yet; the record
    of a failed key without values is deleted. Before the migrations have run, it checks the existing columns and
    records nothing.
    """
    with transaction.atomic():
        there = _existing_columns()
        can_note = (KeyInUse._meta.db_table, "proof") in there
        noted = {row.key_id: _opens_proof(row) for row in KeyInUse.objects.all()} if can_note else {}
        doubtful = [key_id for key_id, opens in noted.items() if not opens] if noted else _find_key_ids(there)
        faults = [fault for key_id in doubtful if (fault := _settle_doubt(key_id, there, can_note))]
        if faults:
            raise KeysLost(
                "\n".join(f"{fault}. Put it back; where several are given, the newest comes first." for fault in faults)
            )
        if can_note:
            newest = _newest_key_id()
            _note(newest)
            transaction.on_commit(lambda: _passed_with.add(newest))


def require_keys_once() -> None:
    """Call `require_keys` unless it has passed in this process for the newest key. For use before each value.

    Raises KeysLost.
    """
    if _newest_key_id() not in _passed_with:
        require_keys()


def find_key_faults() -> list[str]:
    """Return a sentence for each recorded key that is missing or wrong. One query, for monitoring."""
    return [_describe_fault(row.key_id) for row in KeyInUse.objects.order_by("key_id") if not _opens_proof(row)]


def _newest_key_id() -> str:
    return next(iter(settings.ENCRYPTION_KEYS))


def _place(key_id: str) -> str:
    return f"{KeyInUse._meta.label_lower}.proof:{key_id}"


def _opens(token: bytes, place: str) -> bool:
    try:
        open_sealed(token, place=place, keys=settings.ENCRYPTION_KEYS)
    except DecryptionFailed:
        return False
    return True


def _opens_proof(row: KeyInUse) -> bool:
    return _opens(bytes(row.proof), _place(row.key_id))


def _note(key_id: str) -> None:
    """Record a key of ENCRYPTION_KEYS, with a new proof unless the recorded one can be decrypted."""
    if not any(_opens_proof(row) for row in KeyInUse.objects.filter(pk=key_id)):
        key = {key_id: settings.ENCRYPTION_KEYS[key_id]}
        row = KeyInUse(key_id=key_id, proof=seal(PROOF, place=_place(key_id), keys=key))
        KeyInUse.objects.bulk_create([row], update_conflicts=True, unique_fields=["key_id"], update_fields=["proof"])


def _settle_doubt(key_id: str, there: set[tuple[str, str]], can_note: bool) -> str | None:
    """Check a key against stored values. Returns a description of the problem, or None.

    If there is no problem, records the key if it has values, and deletes its record if it has none.
    """
    values = list(_find_values(key_id, there))
    if values and not any(_opens(token, place) for token, place in values):
        return _describe_fault(key_id)
    if values and can_note:
        _note(key_id)
    elif can_note:
        KeyInUse.objects.filter(pk=key_id).delete()
    return None


def _describe_fault(key_id: str) -> str:
    if key_id in settings.ENCRYPTION_KEYS:
        return f"ENCRYPTION_KEYS has a wrong key {key_id!r}: values in the database are sealed with another of that id"
    return f"ENCRYPTION_KEYS lacks the key {key_id!r}, which values in the database are sealed with"


def _existing_columns() -> set[tuple[str, str]]:
    """Return (table, column) of all existing columns. Before the migrations have run, some fields have none."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        return set(cursor.fetchall())


def _encrypted_fields(there: set[tuple[str, str]]) -> Iterator:
    from clinic.audit.rotation import encrypted_fields  # imported here: `fields` imports this module

    return (field for field in encrypted_fields() if (field.model._meta.db_table, field.column) in there)


def _find_key_ids(there: set[tuple[str, str]]) -> list[str]:
    """Return the ids of all keys that values are encrypted with. Reads the header of each value."""
    found = set()
    quote = connection.ops.quote_name
    for field in _encrypted_fields(there):
        sql = KEY_IDS.format(table=quote(field.model._meta.db_table), column=quote(field.column))
        with connection.cursor() as cursor:
            cursor.execute(sql, [LONGEST_HEADER, bytes([VERSION])])
            found |= {bytes(row[0]).decode(errors="replace") for row in cursor.fetchall()}
    return sorted(found)


def _find_values(key_id: str, there: set[tuple[str, str]]) -> Iterator[tuple[bytes, str]]:
    """Yield (token, place) of up to TRIED values of each encrypted field that are encrypted with `key_id`."""
    begins = sealed_with(key_id)
    for field in _encrypted_fields(there):
        head = Func(F(field.name), 1, len(begins), function="substring", output_field=models.BinaryField())
        rows = field.model._base_manager.annotate(sealed_head=head).filter(sealed_head=begins)
        for pk, value in rows.values_list("pk", field.attname)[:TRIED]:
            yield value.token, field.place_of(pk)
