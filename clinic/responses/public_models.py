"""The models shown on public pages.

Each room registers its own. `clinic.web` caches a page only while their rows are unchanged.
"""

from dataclasses import dataclass

from django.db.models import Model


@dataclass(frozen=True)
class PublicModel:
    """A registered model. `shown_from` is the field, if any, with the instant at which a row becomes public."""

    model: type[Model]
    shown_from: str = ""


_registered: list[PublicModel] = []


def register_public_model(model: type[Model], *, shown_from: str = "") -> None:
    """Register `model` and the tables of its many-to-many fields. For AppConfig.ready."""
    tables = [field.remote_field.through for field in model._meta.local_many_to_many]
    _registered.extend([PublicModel(model, shown_from), *(PublicModel(table) for table in tables if table)])


def public_models() -> list[PublicModel]:
    """Return all registered models."""
    return list(_registered)
