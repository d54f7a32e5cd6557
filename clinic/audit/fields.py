"""A JSON field that is encrypted in the database and bound to its row.

The database sees only a token (`sealing`). The value is decrypted when the attribute is first read, so listing rows
without it decrypts nothing and works without the key. A token copied into another row, field or model cannot be
decrypted there.
"""

import base64
import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.query_utils import DeferredAttribute

from clinic.audit.keys import require_keys_once
from clinic.audit.sealing import open_sealed, seal


class PlainValueRefused(TypeError):
    """A query has a plain value for an encrypted field. Values are encrypted only when an instance is saved."""


class Sealed:
    """An encrypted value, as stored in the database. Its repr does not contain it."""

    __slots__ = ("token",)

    def __init__(self, token: bytes) -> None:
        self.token = bytes(token)

    def __repr__(self) -> str:
        return "<Sealed>"


class _OpensOnRead(DeferredAttribute):
    field: "EncryptedJSONField"

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = self.field.open_value(value, instance)
        return value

    def __set__(self, instance: models.Model, value: object) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedJSONField(models.BinaryField):
    """Any JSON value, encrypted with the newest of settings.ENCRYPTION_KEYS and bound to "app.model.field:pk".

    The row's primary key must be known before the row is saved (a UUID with a default). Reading may raise
    `sealing.DecryptionFailed`, and saving raises as `seal_value` does. Filtering or QuerySet.update() with a plain
    value raises PlainValueRefused.

    A model declares the type of its value: `answers: "models.Field[Answers, Answers]" = EncryptedJSONField()`.
    """

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    descriptor_class = _OpensOnRead
    description = "Encrypted JSON"
    empty_strings_allowed = False

    def place(self, instance: models.Model) -> str:
        """Return the place to which a token of this field in the row of `instance` is bound.

        Raises ValueError if the instance has no primary key.
        """
        if instance.pk is None:
            raise ValueError("An encrypted field needs a primary key that is known before saving.")
        return self.place_of(instance.pk)

    def place_of(self, pk: object) -> str:
        """Return the place to which a token of this field in the row `pk` is bound: "app.model.field:pk"."""
        return f"{self.model._meta.label_lower}.{self.name}:{pk}"

    def open_value(self, sealed: Sealed, instance: models.Model) -> Any:
        """Return the decrypted value of `sealed`. Raises DecryptionFailed."""
        return json.loads(open_sealed(sealed.token, place=self.place(instance), keys=settings.ENCRYPTION_KEYS))

    def seal_value(self, value: object, instance: models.Model) -> Sealed:
        """Return `value`, encrypted for `instance` with the newest key.

        Raises TypeError if it cannot be serialized as JSON, ValueError if `instance` has no primary key, KeysLost if a
        key that the database needs is missing or wrong.
        """
        try:
            plain = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except (ValueError, TypeError):
            raise TypeError(f"{self.place(instance)} was given something that JSON cannot hold") from None
        require_keys_once()
        return Sealed(seal(plain, place=self.place(instance), keys=settings.ENCRYPTION_KEYS))

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, Sealed) and not add:
            return value  # never decrypted, so unchanged
        value = getattr(model_instance, self.attname)
        return None if value is None else self.seal_value(value, model_instance)

    def get_prep_value(self, value: object) -> Sealed | None:
        if value is None or isinstance(value, Sealed):
            return value
        raise PlainValueRefused(f"{self.model._meta.label_lower}.{self.name} is encrypted; save an instance instead")

    def get_db_prep_value(self, value: object, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        sealed = self.get_prep_value(value)
        return None if sealed is None else super().get_db_prep_value(sealed.token, connection, prepared=True)

    def from_db_value(
        self, value: bytes | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value: object) -> object:
        return value

    def value_to_string(self, obj: models.Model) -> Any:
        """Return the token in base64, for dumpdata. loaddata cannot read it, so back up the database instead."""
        sealed = self.pre_save(obj, add=False)
        return None if sealed is None else base64.b64encode(sealed.token).decode()
