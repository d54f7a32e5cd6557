"""The form with which staff book a visit, for a patient on the phone or at the desk."""

import uuid
from typing import Any, cast

from django import forms

from booking.actions.book import BookingRequest, Contact
from booking.forms.staff import ClinicClockInput, MayBreakRules
from booking.models import Service
from booking.models.visit_modes import MODE_CHOICES, MODES
from booking.schedule.slots import Slot
from clinic.audit.searching import LONGEST_SEARCH
from clinic.outbox.texts.providers import has_texts
from clinic.outbox.texts.texting import FORM_CONSENT_TEXT
from clinic.practice.fields.form_fields import AddressField, NameField, PhoneField
from clinic.practice.fields.typed_times import StaffMomentField
from clinic.practice.models import Clinic, Patient, Therapist
from clinic.practice.people.duplicates import find_namesake, is_on_file, likely_duplicates
from clinic.practice.people.search import filter_people
from clinic.practice.values.dates import format_date
from clinic.practice.values.mail_addresses import readable_address
from clinic.practice.values.phone import format_phone, texting_number

NEW_PATIENT = "new"

MOST_FOUND = 10


class StaffBookingForm(MayBreakRules):
    """The form that books a visit for a known or a new patient."""

    service = forms.ModelChoiceField(Service.objects.all())
    therapist = forms.ModelChoiceField(Therapist.objects.active())
    starts_at = StaffMomentField(label="Starts", widget=ClinicClockInput, help_text="Clinic time.")
    mode = forms.ChoiceField(label="How to meet", choices=[("", "Choose how"), *MODE_CHOICES])
    find = forms.CharField(
        label="Find the patient",
        required=False,
        max_length=LONGEST_SEARCH,
        help_text="Part of a name, an email address or a phone number. Or enter a new patient below.",
    )
    patient = forms.ChoiceField(label="Who is it?", required=False, widget=forms.RadioSelect)
    name = NameField(label="Patient's name", required=False)
    email = AddressField(
        label="Email",
        required=False,
        help_text="We send the invitation and the reminders here. Without an address, call to confirm.",
    )
    phone = PhoneField(required=False)
    text_consent = forms.BooleanField(
        label="They agree to text messages", required=False, help_text=f"Read this to them: “{FORM_CONSENT_TEXT}”"
    )
    guardian_name = NameField(
        label="Parent or guardian",
        required=False,
        help_text="Only if the patient is under 18. The parent or guardian has to come along and sign.",
    )
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    field_order = (
        *("service", "therapist", "starts_at", "despite_rules", "mode"),
        *("find", "patient", "name", "email", "phone", "text_consent", "guardian_name"),
    )

    def __init__(self, *args: Any, clinic: Clinic, sees_patients: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(PhoneField, self.fields["phone"]).region = self.country = clinic.country
        self.sees_patients = sees_patients
        self.chosen: Patient | None = None
        self.offered: list[Patient] = []
        if not has_texts():
            del self.fields["text_consent"]
        if not sees_patients:
            del self.fields["find"], self.fields["patient"]
            return
        self._offer(find_chosen(self.data.get("patient", "")))

    def look_up(self, text: str) -> None:
        """Search patients by `text`, and offer the first MOST_FOUND as choices of the unbound form."""
        fitting = filter_people(Patient.objects.current().order_by("name"), text)
        found, count = list(fitting[:MOST_FOUND]), fitting.count()
        self._offer(found)
        self.initial["find"] = ""
        result = f"{count} found for “{text}”. Choose below, or search again."
        if not found:
            result = f"No patient found for “{text}”. Search again, or enter the patient below."
        elif count > len(found):
            result = f"The first {len(found)} of {count} found for “{text}”. Not here? Type more of the name and search again."
        self.fields["find"].help_text = result

    def _offer(self, patients: list[Patient], why: dict | None = None) -> None:
        self.offered = patients
        rows = [(str(one.pk), self._describe(one, (why or {}).get(one.pk, ()))) for one in patients]
        field = cast(forms.ChoiceField, self.fields["patient"])
        field.widget = forms.RadioSelect() if rows else forms.HiddenInput()
        field.choices = [*rows, (NEW_PATIENT, "A new patient, entered below")]

    def _describe(self, patient: Patient, why: tuple[str, ...]) -> str:
        born = f"born {format_date(patient.birth_on)}" if patient.birth_on else ""
        contact = (readable_address(patient.email), format_phone(patient.phone, self.country), born)
        unsure = "not confirmed" if patient.is_provisional else ""
        known = ", ".join(filter(None, (patient.name, *contact, unsure)))
        return f"{known} ({', '.join(why)})" if why else known

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        chosen = cleaned.pop("patient", "")
        cleaned.pop("find", None)
        if chosen and chosen != NEW_PATIENT:
            self.chosen = Patient.objects.current().get(pk=chosen)
            self._refuse_phone_of_namesake(self.chosen, cleaned.get("phone", ""))
        elif not cleaned.get("name"):
            if "name" not in self.errors:
                self.add_error("name", "Enter the patient's name, or find them above.")
        elif self.sees_patients and not chosen and not self.errors.keys() & {"email", "phone"}:
            self._ask_who_it_is({name: cleaned[name] for name in ("name", "email", "phone")})
        number = cleaned.get("phone") or (self.chosen.phone if self.chosen else "")
        if cleaned.get("text_consent") and "phone" not in self.errors and not texting_number(number):
            self.add_error("phone", "Texts need a phone number without an extension.")
        mode = MODES.get(cleaned.get("mode", ""))
        if mode and mode.needs_number and not number and "phone" not in self.errors:
            self.add_error("phone", "Enter the number to call at the time of the visit.")
        return cleaned

    def _refuse_phone_of_namesake(self, chosen: Patient, phone: str) -> None:
        is_told_by_phone = not chosen.email and phone
        if is_told_by_phone and find_namesake(name=chosen.name, phone=phone, besides=chosen):
            self.add_error(
                "phone", "Another patient with this name has this number. Find and choose that patient above."
            )

    def _ask_who_it_is(self, typed: dict) -> None:
        alike = {one.patient: one.why for one in likely_duplicates(**typed)}
        if alike and not is_on_file(**typed):
            self._offer(list(alike), {patient.pk: why for patient, why in alike.items()})
            self.add_error("patient", "We may know this patient already. Choose who it is.")

    def booking(self) -> BookingRequest:
        """Return the booking request of the valid form."""
        rest = dict(self.cleaned_data)
        typed = {name: rest.pop(name) for name in ("name", "email", "phone", "guardian_name")}
        if self.chosen is not None:
            typed |= {"name": self.chosen.name, "email": self.chosen.email, "patient": self.chosen}
        consent = f"Read to them by staff: {FORM_CONSENT_TEXT}" if rest.pop("text_consent", False) else ""
        slot = Slot(*(rest.pop(name) for name in ("service", "therapist", "starts_at")))
        return BookingRequest(slot=slot, contact=Contact(**typed, text_consent=consent), **rest)


def find_chosen(key: str) -> list[Patient]:
    """Return the patient with the id `key`, in a list. The list is empty for an unknown or malformed id."""
    try:
        return list(Patient.objects.current().filter(pk=uuid.UUID(key)))
    except ValueError:
        return []
