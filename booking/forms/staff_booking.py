"""The form with which staff book a visit, for a patient on the phone or at the desk."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from booking.actions.book import BookingRequest, Contact
from booking.forms.staff import ClinicClockInput, MayBreakRules
from booking.forms.who_it_is import WhoItIs
from booking.models import Service
from booking.models.visit_modes import MODE_CHOICES, MODES
from booking.schedule.slots import Slot
from clinic.outbox.texts.providers import has_texts
from clinic.outbox.texts.texting import FORM_CONSENT_TEXT
from clinic.practice.fields.form_fields import NameField
from clinic.practice.fields.typed_times import StaffMomentField
from clinic.practice.models import Therapist
from clinic.practice.values.phone import texting_number

PREFILLED = ("service", "therapist", "starts_at")  # by the address of the page, which never has data of a patient
CONSENTS = ("despite_rules", "past_asked", "rules_shown")


class StaffBookingForm(WhoItIs, MayBreakRules):
    """The form that books a visit for a known or a new patient."""

    service = forms.ModelChoiceField(Service.objects.all(), empty_label="Choose a service")
    therapist = forms.ModelChoiceField(Therapist.objects.active(), empty_label="Choose a therapist")
    starts_at = StaffMomentField(label="Starts", widget=ClinicClockInput, help_text="Clinic time.")
    mode = forms.ChoiceField(label="How to meet", required=False, choices=[("", "Choose how"), *MODE_CHOICES])
    text_consent = forms.BooleanField(
        label="They agree to text messages", required=False, help_text=f"Read this to them: “{FORM_CONSENT_TEXT}”"
    )
    guardian_name = NameField(
        label="Parent or guardian",
        required=False,
        help_text="Only if the patient is under 18. The parent or guardian has to come along and sign.",
    )
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_texts():
            del self.fields["text_consent"]
        self.given_service: Service | None = self._given("service")
        if self.given_service is not None and len(self.given_service.modes) == 1:
            self.initial["mode"] = self.initial.get("mode") or self.given_service.modes[0].name

    def _given(self, name: str) -> Any:
        """Return the cleaned value of one field of the bound or unbound form; None if it is missing or invalid."""
        sent = self.data.get(name) if self.is_bound else self.initial.get(name)
        with suppress(ValidationError):
            return self.fields[name].clean(sent)
        return None

    @cached_property
    def given_therapist(self) -> Therapist | None:
        """The therapist in the bound or unbound form, if any."""
        return self._given("therapist")

    @property
    def given_start(self) -> datetime | None:
        """The start in the bound or unbound form, if any."""
        return self._given("starts_at")

    @property
    def has_details(self) -> bool:
        """Whether the consent or the guardian is filled in or has an error."""
        names = [name for name in ("text_consent", "guardian_name") if name in self.fields]
        return any(self[name].value() or self[name].errors for name in names)

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        self._clean_mode(cleaned)
        number = cleaned.get("phone") or (self.chosen.phone if self.chosen else "")
        if cleaned.get("text_consent") and "phone" not in self.errors and not texting_number(number):
            self.add_error("phone", "Texts need a phone number without an extension.")
        mode = MODES.get(cleaned.get("mode", ""))
        if mode and mode.needs_number and not number and "phone" not in self.errors:
            self.add_error("phone", "Enter the number to call at the time of the visit.")
        return cleaned

    def _clean_mode(self, cleaned: dict[str, Any]) -> None:
        service = cleaned.get("service")
        if cleaned.get("mode") or service is None or "mode" in self.errors:
            return
        if len(service.modes) == 1:
            cleaned["mode"] = service.modes[0].name
        else:
            self.add_error("mode", "Choose how to meet.")

    @property
    def asks_for_rules(self) -> list[forms.BoundField]:
        """The inputs of the confirmation of broken rules."""
        return [self[name] for name in CONSENTS]

    @property
    def other_hidden_fields(self) -> list[forms.BoundField]:
        """The hidden inputs that are not replaced together with the times."""
        return [field for field in self.hidden_fields() if field.name not in CONSENTS]

    def booking(self) -> BookingRequest:
        """Return the booking request of the valid form, despite the rules that were confirmed."""
        rest = dict(self.cleaned_data)
        del rest["phone_asked"]
        typed = {name: rest.pop(name) for name in ("name", "email", "phone", "guardian_name")}
        typed["replaces_phone"] = rest.pop("replace_phone")
        if self.chosen is not None:
            typed |= {"name": self.chosen.name, "email": self.chosen.email, "patient": self.chosen}
        consent = f"Read to them by staff: {FORM_CONSENT_TEXT}" if rest.pop("text_consent", False) else ""
        slot = Slot(*(rest.pop(name) for name in ("service", "therapist", "starts_at")))
        return BookingRequest(slot=slot, contact=Contact(**typed, text_consent=consent), **rest)


def read_prefill(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return the valid values among service, therapist and start in the address of the form. Others are ignored."""
    values: dict[str, Any] = {}
    for name in PREFILLED:
        with suppress(ValidationError):
            values[name] = StaffBookingForm.base_fields[name].clean(sent.get(name))
    return {name: getattr(value, "pk", value) for name, value in values.items()}


def keep_typed(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return what was typed into the form, to show it again, without the confirmation of broken rules.

    `use_time` is a button with a start and a therapist, which replace those that were typed.
    """
    kept = {name: value for name, value in sent.items() if name not in CONSENTS}
    starts_at, _, therapist = kept.pop("use_time", "").partition(" ")
    return kept | read_prefill({"starts_at": starts_at, "therapist": therapist})
