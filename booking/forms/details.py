"""The form that books a visit."""

import uuid
from typing import Any

from django import forms
from django.http import QueryDict

from booking.actions.book import Contact
from booking.forms.contact import ContactForm
from booking.models import Service
from clinic.outbox.texts.providers import has_texts
from clinic.outbox.texts.texting import FORM_CONSENT_TEXT
from clinic.practice.fields.form_fields import NameField
from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.patients import is_same_name
from clinic.practice.values.phone import format_phone, texting_number

FIRST_NAME_WORDS = "Use my first name in emails"

FIRST_NAME_WORDS_WITH_TEXTS = "Use my first name in emails and texts"

WHY_FIRST_NAME = (
    "Our messages leave your name out unless you ask for it. A name helps when several people share a mailbox. If you book "
    "for someone under 18, our messages use your first name and the patient’s."
)


class DetailsForm(ContactForm):
    """The form that books a visit.

    With a known `patient`, it has no fields for name and email. Without a text provider, it has none for text consent.
    """

    name = NameField(
        label="Patient’s name",
        help_text="The person who is coming: you, or the person you are booking for.",
        error_messages={"required": "Enter the patient’s name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    is_for_minor = forms.BooleanField(
        label="I am booking for someone under 18. I am their parent or guardian.", required=False
    )
    guardian_name = NameField(
        label="Your name, as the parent or guardian",
        required=False,
        help_text="Only if the patient is under 18. The patient’s name goes above.",
    )
    text_consent = forms.BooleanField(label=FORM_CONSENT_TEXT, required=False)
    uses_first_name = forms.BooleanField(label=FIRST_NAME_WORDS, help_text=WHY_FIRST_NAME, required=False)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput)
    terms_seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, service: Service, clinic: Clinic, patient: Patient | None = None, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", {"idempotency_key": uuid.uuid4()})
        super().__init__(*args, service=service, clinic=clinic, **kwargs)
        self.initial.setdefault("terms_seen", service.fingerprint)
        self.patient = patient
        if patient is not None:
            del self.fields["name"], self.fields["email"], self.fields["email_asked_about"]
            self.initial.setdefault("phone", format_phone(patient.phone, clinic.country))
            self.initial.setdefault("uses_first_name", bool(patient.first_name_since))
        if has_texts():
            self.fields["uses_first_name"].label = FIRST_NAME_WORDS_WITH_TEXTS
        else:
            del self.fields["text_consent"]

    def show_terms(self, fingerprint: str) -> None:
        """Record in the bound form that the page shows the terms with `fingerprint`. The caller has to render them."""
        replace_sent(self, "terms_seen", fingerprint)

    @classmethod
    def from_typed(cls, typed: QueryDict, **kwargs: Any) -> "DetailsForm":
        """Return an unbound form whose initial values are those in `typed`, without validation."""
        fields = {name: field.widget.value_from_datadict(typed, {}, name) for name, field in cls.base_fields.items()}
        return cls(**kwargs, initial={name: value for name, value in fields.items() if value is not None})

    def clean_guardian_name(self) -> str:
        """Require the name if `is_for_minor` is checked, and reject it otherwise."""
        name, is_for_minor = self.cleaned_data["guardian_name"], self.cleaned_data.get("is_for_minor")
        if is_for_minor and not name:
            raise forms.ValidationError("Enter your name, as the parent or guardian.")
        if name and not is_for_minor:
            raise forms.ValidationError(
                "Check the box above if the patient is under 18 and you are their parent or guardian. If not, leave this empty."
            )
        return name

    def clean_text_consent(self) -> str:
        """Return the consent text that was agreed to, or an empty string."""
        return FORM_CONSENT_TEXT if self.cleaned_data["text_consent"] else ""

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("text_consent") and cleaned.get("phone") and not texting_number(cleaned["phone"]):
            text = (
                "We can’t text a number with an extension. Enter a cell phone number, or leave the box for texts empty."
            )
            self.add_error("phone", text)
        guardian, name = cleaned.get("guardian_name"), self.patient.name if self.patient else cleaned.get("name")
        if guardian and name and is_same_name(guardian, name):
            text = (
                "The patient and the parent have the same name. Enter the patient’s name above and your own name here."
            )
            self.add_error("guardian_name", f"{text} If you share one name, add Jr. or Sr.")
        return cleaned

    def contact(self, *, time_zone: str) -> Contact:
        """Return the contact details. For a recognized patient, the name and email are those on file."""
        typed, known = self.cleaned_data, self.patient
        return Contact(
            name=known.name if known else typed["name"],
            email=known.email if known else typed["email"],
            phone=typed["phone"],
            time_zone=time_zone,
            text_consent=typed.get("text_consent", ""),
            uses_first_name=typed["uses_first_name"],
            guardian_name=typed["guardian_name"],
            patient=known,
        )
