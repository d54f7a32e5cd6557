"""Every model that refers to a patient has a registered holding."""

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from clinic.practice.models import Patient
from clinic.practice.registry import holdings as registry
from clinic.practice.registry.holdings import Holding, NotNeeded, by_column, holdings, move_rows, register_holding

BY_CONVENTION = {"patient_id", "patient_ids", "subject_id", "object_id"}  # columns with the ID of a patient or its row


def models_about_patients(everything) -> set[type[models.Model]]:
    """Return the models that reach a patient by foreign keys, in any number of steps, or by a column of IDs."""
    found = {Patient}
    found |= {model for model in everything if BY_CONVENTION & {field.name for field in model._meta.concrete_fields}}
    while True:
        more = {model for model in everything if targets_of(model) & found} - found
        if not more:
            return found
        found |= more


def targets_of(model) -> set[type[models.Model]]:
    relations = (field for field in model._meta.get_fields() if field.is_relation and not field.auto_created)
    return {field.remote_field.model for field in relations if field.remote_field}


def unregistered(everything) -> set[str]:
    registered = {holding.model for holding in holdings()}
    return {model._meta.label for model in models_about_patients(everything) - registered}


def test_every_model_that_refers_to_a_patient_is_registered():
    assert unregistered(apps.get_models(include_auto_created=True)) == set()


def make_model(**columns) -> type[models.Model]:
    """Make a model of booking that has no table. Call it with `isolate_apps`."""
    meta = type("Meta", (), {"app_label": "booking"})
    return type("Finding", (models.Model,), {"__module__": __name__, "Meta": meta, **columns})


@isolate_apps("booking")
@pytest.mark.parametrize("target", ["practice.Patient", "booking.Appointment", "assessments.Score"])
def test_unregistered_model_is_found_however_it_refers_to_a_patient(target):
    finding = make_model(about=models.ForeignKey(apps.get_model(target), on_delete=models.CASCADE))
    assert unregistered([*apps.get_models(), finding]) == {"booking.Finding"}


@isolate_apps("booking")
@pytest.mark.parametrize("name", sorted(BY_CONVENTION))
def test_unregistered_model_is_found_by_a_column_of_ids(name):
    assert unregistered([*apps.get_models(), make_model(**{name: models.UUIDField()})]) == {"booking.Finding"}


def test_model_without_its_registration_is_found(monkeypatch):
    left = {model: one for model, one in registry._registered.items() if model._meta.label != "booking.SlotOffer"}
    monkeypatch.setattr(registry, "_registered", left)
    assert unregistered(apps.get_models(include_auto_created=True)) == {"booking.SlotOffer"}


def test_holding_that_is_registered_last_is_first_and_the_patient_is_last(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    other = Holding(
        model=models.Model,
        permission="practice.view_patient",
        find=by_column(Patient),
        timeline=NotNeeded("a test"),
        export=NotNeeded("a test"),
        repoint=move_rows(Patient),
        erase=NotNeeded("a test"),
    )
    register_holding(other)
    assert holdings()[0] == other
    assert holdings()[-1].model is Patient


def test_reason_is_given_for_each_function_that_a_holding_lacks():
    for holding in holdings():
        for function in (holding.timeline, holding.export, holding.repoint, holding.erase):
            assert callable(function) or len(function.why.split()) >= 3


def test_holding_with_an_erase_says_what_goes_and_names_existing_columns():
    for holding in holdings():
        assert bool(holding.goes) == callable(holding.erase)
        columns = {column.name for column in holding.model._meta.concrete_fields}
        assert set(holding.stays) <= columns
        assert holding.permission.startswith(("practice.", "booking.", "assessments.", "outbox.", "audit."))
