"""The part of a staff form that finds a patient, or takes the details of a new one."""

import uuid
from contextlib import suppress
from typing import Any, cast

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from clinic.audit.searching import LONGEST_SEARCH
from clinic.practice.fields.form_fields import AddressField, NameField, PhoneField
from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.models import Clinic, Patient
from clinic.practice.people.duplicates import find_namesake, is_on_file, likely_duplicates
from clinic.practice.people.search import filter_people
from clinic.practice.values.dates import format_date
from clinic.practice.values.mail_addresses import readable_address
from clinic.practice.values.phone import PhoneInvalid, format_phone, parse_phone

NEW_PATIENT = "new"
NEW_LABEL = mark_safe('<strong>A new patient</strong> <span class="quiet">entered below</span>')

MOST_FOUND = 10


class WhoItIs(forms.Form):
    """Mixin for staff forms: find a patient and choose them, or enter a new one.

    Without `sees_patients`, only a new patient can be entered. `offered` are the patients whom the page shows, and
    `chosen` is the one chosen in the valid form. Use `look_up` on an unbound form.
    """

    find = forms.CharField(
        label="Find the patient",
        required=False,
        max_length=LONGEST_SEARCH,
        help_text="Part of a name, a phone number, an email address, or a date of birth like 3/14/1988.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    patient = forms.ChoiceField(label="Who is it?", required=False, widget=forms.RadioSelect)
    name = NameField(label="Name", required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    phone = PhoneField(label="Phone", required=False)
    email = AddressField(
        label="Email (optional)",
        required=False,
        help_text="For the invitation and the reminders. Without an address, call to confirm.",
    )

    # The number that a search without a result entered as `phone`. It must not replace that of a patient found later.
    phone_searched = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    replace_phone = forms.BooleanField(
        required=False,
        widget=forms.HiddenInput,  # a checkbox once the number differs from the one on file
        help_text="If not, the number on file stays, and the new one is for this visit only.",
    )
    phone_asked = forms.CharField(
        required=False, max_length=80, widget=forms.HiddenInput
    )  # what `replace_phone` is about

    def __init__(self, *args: Any, clinic: Clinic, sees_patients: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        phone = cast(PhoneField, self.fields["phone"])
        phone.region = self.country = clinic.country
        phone.widget.attrs["autocomplete"] = "off"  # the browser would fill in the number of staff
        self.sees_patients = sees_patients
        self.chosen: Patient | None = None
        self.offered: list[Patient] = []
        self.is_searched = False
        if not sees_patients:
            del self.fields["find"], self.fields["patient"]
            return
        given = self.data.get("patient", "") if self.is_bound else self.initial.get("patient", "")
        self._offer(find_chosen(given))

    def look_up(self, text: str) -> None:
        """Search patients by `text`, and offer the first MOST_FOUND as choices, after the one chosen before.

        If there is none, `text` becomes the name or phone number of a new patient, unless these were typed.
        """
        if not text or not self.sees_patients:
            return
        self.is_searched = True
        fitting = filter_people(Patient.objects.current().order_by("name"), text, finds_births=True)
        found, count = list(fitting[:MOST_FOUND]), fitting.count()
        self._offer([*(one for one in self.offered if one not in found), *found])
        self.initial["find"] = ""
        if found and self.initial.get("phone") == self.initial.get("phone_searched"):
            self.initial["phone"] = ""
        result = f"{count} found for “{text}”. Choose below, or search again."
        if not found:
            result = f"No patient found for “{text}”. Search again, or enter a new patient below."
            self._enter_new(text)
        elif count > len(found):
            result = f"The first {len(found)} of {count} found for “{text}”. Not here? Type more of the name and search again."
        self.fields["find"].help_text = result

    @property
    def is_new_shown(self) -> bool:
        """Whether the fields of a new patient are open: they are needed, filled in, or have an error."""
        if not self.sees_patients or (self.is_searched and not self.offered):
            return True
        names = ("name", "phone", "email")
        return any(self[name].value() or self[name].errors for name in names) or self["patient"].value() == NEW_PATIENT

    def _enter_new(self, text: str) -> None:
        """Make `text` the name or phone number of a new patient, unless a patient is offered or one was typed."""
        if self.offered or self.initial.get("name") or self.initial.get("phone"):
            return
        if not any(one.isdigit() for one in text) and "@" not in text:
            self.initial["name"] = text
            return
        with suppress(PhoneInvalid):
            phone = format_phone(parse_phone(text, self.country), self.country)
            self.initial.update(phone=phone, phone_searched=phone)

    def _offer(self, patients: list[Patient], why: dict | None = None) -> None:
        self.offered = patients
        rows: list[tuple[str, str]] = [
            (str(one.pk), self._describe(one, (why or {}).get(one.pk, ()))) for one in patients
        ]
        field = cast(forms.ChoiceField, self.fields["patient"])
        field.widget = forms.RadioSelect() if rows else forms.HiddenInput()
        field.choices = [*rows, (NEW_PATIENT, NEW_LABEL)]

    def _describe(self, patient: Patient, why: tuple[str, ...]) -> SafeString:
        born = f"born {format_date(patient.birth_on)}" if patient.birth_on else ""
        contact = (readable_address(patient.email), format_phone(patient.phone, self.country), born)
        unsure = "not confirmed" if patient.is_provisional else ""
        known = ", ".join(filter(None, (*contact, unsure)))
        more = f"{known} ({', '.join(why)})" if why else known
        return format_html('<strong>{}</strong> <span class="quiet">{}</span>', patient.name, more)

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        chosen = cleaned.pop("patient", "")
        for name in ("find", "phone_searched"):
            cleaned.pop(name, None)
        if chosen and chosen != NEW_PATIENT:
            self.chosen = Patient.objects.current().get(pk=chosen)
            self._refuse_phone_of_namesake(self.chosen, cleaned.get("phone", ""))
            self._ask_which_number(self.chosen)
        elif not cleaned.get("name"):
            if "name" not in self.errors:
                self.add_error("name", "Enter the patient's name, or find them above.")
        elif self.sees_patients and not chosen and not self.errors.keys() & {"email", "phone"}:
            self._ask_who_it_is({name: cleaned[name] for name in ("name", "email", "phone")})
        return cleaned

    def _refuse_phone_of_namesake(self, chosen: Patient, phone: str) -> None:
        is_told_by_phone = not chosen.email and phone
        if is_told_by_phone and find_namesake(name=chosen.name, phone=phone, besides=chosen):
            self.add_error(
                "phone", "Another patient with this name has this number. Find and choose that patient above."
            )

    def _ask_which_number(self, patient: Patient) -> None:
        """Ask once whether the typed number replaces the one on file. Unless that is checked, it does not."""
        phone = self.cleaned_data.get("phone", "")
        if not phone or not patient.phone or phone == patient.phone or "phone" in self.errors:
            return
        old, new = (format_phone(number, self.country) for number in (patient.phone, phone))
        self.fields["replace_phone"].widget = forms.CheckboxInput()
        self["replace_phone"].label = f"Replace {old} by {new}"
        if self.cleaned_data.get("phone_asked") != (question := f"{patient.pk} {phone}"):
            replace_sent(self, "phone_asked", question)
            replace_sent(self, "replace_phone", "")
            self.add_error("replace_phone", f"The number on file for {patient.name} is {old}. Replace it?")

    def _ask_who_it_is(self, typed: dict) -> None:
        if is_on_file(**typed):
            if typed["email"]:
                self._ask_which_number(Patient.objects.matching(name=typed["name"], email=typed["email"]).known().get())
            return
        alike = {one.patient: one.why for one in likely_duplicates(**typed)}
        if alike:
            self._offer(list(alike), {patient.pk: why for patient, why in alike.items()})
            self.add_error("patient", "We may know this patient already. Choose who it is.")


def find_chosen(key: str) -> list[Patient]:
    """Return the patient with the id `key`, in a list. The list is empty for an unknown or malformed id."""
    try:
        return list(Patient.objects.current().filter(pk=uuid.UUID(key)))
    except ValueError:
        return []
