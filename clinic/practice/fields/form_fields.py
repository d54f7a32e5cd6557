"""Form fields that several rooms use, and the form of the clinic itself."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.models import Clinic, User
from clinic.practice.saving.clinic_changes import TOLD, count_outdated, count_patients_to_call, digest_of
from clinic.practice.saving.zone_changes import Moved, list_moved
from clinic.practice.values.mail_addresses import LONGEST, AddressInvalid, clean_address, readable_address
from clinic.practice.values.names import NameInvalid, clean_name, normalize_name
from clinic.practice.values.phone import REGIONS, PhoneHasLetters, PhoneInvalid, format_phone, parse_phone
from clinic.practice.values.zones import US_ZONES, zone_label, zone_names, zones_of_state


class NameField(forms.CharField):
    """A name, cleaned to one line of composed, visible text. The length of the cleaned name is checked."""

    def __init__(self, *, max_length: int = 120, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_python(self, value: object) -> str | None:
        text = super().to_python(value)
        if not text or "\x00" in text:  # a validator rejects NUL
            return text
        try:
            return clean_name(text) if normalize_name(text) else ""
        except NameInvalid as error:
            raise ValidationError(str(error), code="invalid") from None


class AddressField(forms.EmailField):
    """An email address, cleaned to the stored form, with its domain in ASCII. The form shows the domain in Unicode."""

    # Not type="email": Chromium would convert a typed domain by IDNA 2003, "faß.de" to "fass.de".
    widget = forms.TextInput(
        attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false", "size": "40"}
    )
    default_validators = []  # `clean_address` is stricter than Django's

    def __init__(self, **kwargs: Any) -> None:
        kwargs["max_length"] = None  # `clean_address` checks the length in ASCII
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("maxlength", str(LONGEST))

    def to_python(self, value: object) -> str | None:
        text = super().to_python(value)
        if not text or "\x00" in text:
            return text
        try:
            return clean_address(text)
        except AddressInvalid as error:
            raise ValidationError(str(error), code="invalid") from None

    def prepare_value(self, value: object) -> object:
        return readable_address(value) if isinstance(value, str) else value

    def has_changed(self, initial: object, data: object) -> bool:
        """Compare cleaned addresses, so that another spelling of a domain is not a change."""
        try:
            data = self.to_python(data)
        except ValidationError:
            return True
        return super().has_changed(initial, data)


class PhoneField(forms.CharField):
    """A phone number in any common spelling. Cleans to the result of `parse_phone`, or "" for an empty optional field.

    `region` is the country of numbers typed without a country code. It also determines the format of shown numbers.
    """

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})
    default_error_messages = {
        "invalid": "Enter a phone number with its area code, like 603 555 0123 or 603 555 0123 ext. 12.",
        "invalid_abroad": "Enter a phone number with its area code; one in another country with + and the country’s code.",
    }

    def __init__(self, *, region: str = "US", max_length: int = 40, **kwargs: Any) -> None:
        self.region = region
        super().__init__(max_length=max_length, **kwargs)

    def clean(self, value: object) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return parse_phone(text, self.region)
        except PhoneHasLetters:
            raise ValidationError("Enter the digits of the phone number, not letters.", code="letters") from None
        except PhoneInvalid:
            code = "invalid" if self.region == "US" else "invalid_abroad"
            raise ValidationError(self.error_messages[code], code="invalid") from None

    def prepare_value(self, value: object) -> object:
        return format_phone(value, self.region) if isinstance(value, str) and value.startswith("+") else value

    def has_changed(self, initial: object, data: object) -> bool:
        """Compare cleaned numbers, so that another spelling is not a change."""
        try:
            data = self.clean(data)
        except ValidationError:
            return True
        return super().has_changed(initial, data)


class ZoneField(forms.ChoiceField):
    """A choice of an IANA time zone; US zones come first. `empty_label` is the label of the empty choice."""

    def __init__(self, *, empty_label: str, **kwargs: Any) -> None:
        others = sorted(name for name in zone_names() - US_ZONES.keys() if "/" in name)
        choices = [
            ("", empty_label),
            ("United States", list(US_ZONES.items())),
            ("Everywhere else", [(name, zone_label(name)) for name in others]),
        ]
        super().__init__(choices=choices, **kwargs)


class ClinicForm(forms.ModelForm):
    """The form of the clinic. Two kinds of changes must be confirmed by a second save.

    1. A new time zone that changes the clock times of booked visits. `moved` lists them, and `zone_asked` is the label
    of the new zone. The admin sets `by`, the member of staff.

    2. New contact details when patients were sent the old ones. `outdated` is the number of upcoming visits affected,
    and `to_call` is how many of these have a patient whom no message can reach. `is_told` is whether to notify the
    patients. `details_asked` is a digest of the new details.
    """

    name = NameField(max_length=100, initial=Clinic._meta.get_field("name").default)
    email = AddressField(required=False, help_text="Replies to our messages go there.")
    phone = PhoneField(required=False)
    time_zone = ZoneField(
        empty_label="Choose the clinic's time zone",
        widget=forms.Select(attrs={"data-zone-proposal": ""}),
        help_text="Opening hours, pages, emails and this admin use it.",
    )
    by: User
    moved: list[Moved] = []
    zone_asked = details_asked = ""
    outdated = to_call = 0
    is_told = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "time_zone" not in self.fields:  # absent for staff who may only view
            return
        country, state = (self.data.get(name, getattr(self.instance, name)) for name in ("country", "region"))
        phone, zone = self.fields["phone"], self.fields["time_zone"]
        assert isinstance(phone, PhoneField) and isinstance(zone, ZoneField)
        phone.region = country = country.strip().upper()
        self.state, self.state_zones = zones_of_state(state) if country == "US" else ("", ())
        stored = self.instance.time_zone
        zone.error_messages["required"] = self._zone_question()
        if self.instance._state.adding:  # the model's default is not the clinic's choice
            return
        if not zone.valid_value(stored):
            zone.choices = [*zone.widget.choices, (stored, stored)]
        if self.state_zones and stored not in self.state_zones:
            zone.help_text += f" {self._describe_state()} The clinic's is set to {zone_label(stored)}."

    def clean_country(self) -> str:
        """Return the country code (ISO 3166). Raises ValidationError if its phone numbers cannot be parsed."""
        country = self.cleaned_data["country"].strip().upper()
        if country not in REGIONS:
            raise ValidationError("Enter the two letters of the clinic's country, such as US or CA.", code="invalid")
        return country

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.has_error("time_zone", "required") and len(self.state_zones) == 1:
            replace_sent(self, "time_zone", self.state_zones[0])  # a proposal, for staff to check and save
        elif cleaned.get("time_zone"):
            self._ask_before_moving(cleaned["time_zone"])
        if not self.errors and not self.instance._state.adding:
            self._ask_before_new_details(cleaned)
        return cleaned

    def _ask_before_moving(self, zone: str) -> None:
        if zone == self.instance.time_zone or self.data.get("zone_confirmed") == zone:
            return
        before, after = self.instance.zone, ZoneInfo(zone)
        self.moved = list_moved(before=before, after=after, by=self.by, now=timezone.now())
        if self.moved:
            self.zone_asked = zone_label(zone)
            self.add_error("time_zone", "This changes the clock times of booked visits. Check the list, then confirm.")

    def _ask_before_new_details(self, cleaned: dict[str, Any]) -> None:
        after = Clinic(**{name: cleaned.get(name, getattr(self.instance, name)) for name in TOLD})
        asked = digest_of(after)
        answer, _, answered_for = self.data.get("details_confirmed", "").partition(":")
        if answered_for == asked and answer in ("tell", "silent"):
            self.is_told = answer == "tell"
            return
        self.outdated = count_outdated(self.instance, after, now=timezone.now())
        if self.outdated:
            self.details_asked = asked
            self.to_call = count_patients_to_call(self.instance, after, now=timezone.now())
            self.add_error(None, "Patients were sent the old details. Choose whether to tell them, then save again.")

    def _zone_question(self) -> str:
        if not self.state_zones:
            return "Choose the clinic's time zone."
        if len(self.state_zones) == 1:
            return f"{self._describe_state()} It is selected below. Check it, then save again."
        return f"{self._describe_state()} Choose the clinic's."

    def _describe_state(self) -> str:
        labels = [zone_label(name) for name in self.state_zones]
        if len(labels) == 1:
            return f"{self.state} is in {labels[0]}."
        return f"Parts of {self.state} are in different time zones: {' or '.join(labels)}."
