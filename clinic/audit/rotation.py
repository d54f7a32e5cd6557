"""Re-encrypt values with the newest key."""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings

from clinic.audit.fields import EncryptedJSONField, Sealed
from clinic.audit.keys import require_keys_once
from clinic.audit.sealing import open_sealed, read_key_id, seal


def encrypted_fields() -> Iterator[EncryptedJSONField]:
    """Yield every encrypted field of every model."""
    for model in apps.get_models():
        yield from (field for field in model._meta.local_fields if isinstance(field, EncryptedJSONField))


def rotate_field(field: EncryptedJSONField) -> tuple[int, int]:
    """Re-encrypt every value of `field` with the newest key. Returns (rows rotated, rows changed meanwhile).

    Safe to stop and run again, since rows with the newest key are skipped. A value that is saved meanwhile is not
    rotated, since that save uses the newest key. The next run checks it. Raises KeysLost if a key is missing or wrong.
    Raises DecryptionFailed, with the row's place, at the first value that cannot be decrypted.
    """
    require_keys_once()
    newest = next(iter(settings.ENCRYPTION_KEYS))
    rotated = changed = 0
    sealed_rows = field.model._base_manager.exclude(**{field.name: None})
    for pk, sealed in sealed_rows.values_list("pk", field.attname).iterator(chunk_size=500):
        place = field.place_of(pk)
        if read_key_id(sealed.token, place=place) == newest:
            continue
        plain = open_sealed(sealed.token, place=place, keys=settings.ENCRYPTION_KEYS)
        fresh = Sealed(seal(plain, place=place, keys=settings.ENCRYPTION_KEYS))
        as_read = field.model._base_manager.filter(pk=pk, **{field.name: sealed})
        if as_read.update(**{field.name: fresh}):
            rotated += 1
        else:
            changed += 1
    return rotated, changed
