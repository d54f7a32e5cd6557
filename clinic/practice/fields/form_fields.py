"""Form fields that several rooms use, and the form of the clinic itself."""

from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from clinic.practice.models import Clinic
from clinic.practice.saving.clinic_changes import TOLD, count_outdated, count_patients_to_call, digest_of
from clinic.practice.saving.zone_changes import list_moved
from clinic.practice.values.mail_addresses import LONGEST, AddressInvalid, clean_address, readable_address
from clinic.practice.values.names import NameInvalid, clean_name, normalize_name
from clinic.practice.values.phone import REGIONS, PhoneHasLetters, PhoneInvalid, format_phone, parse_phone
from clinic.practice.values.zones import US_ZONES, zone_label, zone_names, zones_of_state


class NameField(forms.CharField):
    """A name, cleaned to one line of composed text with nothing invisible; its length is checked after that."""

    def __init__(self, *, max_length=120, **kwargs):
        super().__init__(max_length=max_length, **kwargs)

    def to_python(self, value):
        text = super().to_python(value)
        if text in self.empty_values or "\x00" in text:  # which a validator refuses
            return text
        try:
            return clean_name(text) if normalize_name(text) else ""
        except NameInvalid as error:
            raise ValidationError(str(error), code="invalid") from None


class AddressField(forms.EmailField):
    """An email address, cleaned to what is stored and written to: its domain in ASCII. It is shown as people write it."""

    # Not type="email": Chromium turns what is typed there into ASCII by IDNA 2003, "faß.de" into "fass.de".
    widget = forms.TextInput(
        attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false", "size": "40"}
    )
    default_validators = ()  # `clean_address` is stricter than Django's

    def __init__(self, **kwargs):
        kwargs["max_length"] = None  # checked of the cleaned address, which may be longer or shorter than what is typed
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("maxlength", str(LONGEST))

    def to_python(self, value):
        text = super().to_python(value)
        if text in self.empty_values or "\x00" in text:
            return text
        try:
            return clean_address(text)
        except AddressInvalid as error:
            raise ValidationError(str(error), code="invalid") from None

    def prepare_value(self, value):
        return readable_address(value) if isinstance(value, str) else value

    def has_changed(self, initial, data):
        """Two spellings of one domain are no change."""
        try:
            data = self.to_python(data)
        except ValidationError:
            return True
        return super().has_changed(initial, data)


class PhoneField(forms.CharField):
    """A telephone number typed any way people type it; cleans to what `parse_phone` returns, or "" when it may be empty.

    `region` is the country of a number typed without one, and whose way of writing numbers they are shown in.
    """

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})
    default_error_messages = {
        "invalid": "Enter a phone number with its area code, like 603 555 0123 or 603 555 0123 ext. 12.",
        "invalid_abroad": "Enter a phone number with its area code; one in another country with + and the country’s code.",
    }

    def __init__(self, *, region="US", max_length=40, **kwargs):
        self.region = region
        super().__init__(max_length=max_length, **kwargs)

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return ""
        try:
            return parse_phone(text, self.region)
        except PhoneHasLetters:
            raise ValidationError("Enter the digits of the phone number, not letters.", code="invalid") from None
        except PhoneInvalid:
            code = "invalid" if self.region == "US" else "invalid_abroad"
            raise ValidationError(self.error_messages[code], code="invalid") from None

    def prepare_value(self, value):
        return format_phone(value, self.region) if value and str(value).startswith("+") else value

    def has_changed(self, initial, data):
        """Two spellings of one number are no change."""
        try:
            data = self.clean(data)
        except ValidationError:
            return True
        return super().has_changed(initial, data)


class ZoneField(forms.ChoiceField):
    """One of the world's time zones, those of the US first; `empty_label` is what no choice means."""

    def __init__(self, *, empty_label, **kwargs):
        others = sorted(name for name in zone_names() - US_ZONES.keys() if "/" in name)
        choices = [
            ("", empty_label),
            ("United States", list(US_ZONES.items())),
            ("Everywhere else", [(name, zone_label(name)) for name in others]),
        ]
        super().__init__(choices=choices, **kwargs)


class ClinicForm(forms.ModelForm):
    """The clinic. Its zone must be chosen; where a change of zone moves what is booked, that must be confirmed once.

    `moved` is what would move, `zone_asked` to which zone. The admin sets `by`: the member of staff who asks.

    So must a new name, address or phone number be, where patients were sent the old one: `outdated` is how many visits
    ahead that concerns, `to_call` for how many of them only a call helps, `is_told` whether their patients shall be told, `details_asked` stands for what was asked about.
    """

    name = NameField(max_length=100, initial=Clinic._meta.get_field("name").default)
    email = AddressField(required=False, help_text="Where answers to our messages go.")
    phone = PhoneField(required=False)
    time_zone = ZoneField(
        empty_label="Choose the clinic's time zone",
        widget=forms.Select(attrs={"data-zone-proposal": ""}),
        help_text="Opening hours, pages, mails and this admin go by this clock.",
    )
    by, moved, zone_asked = None, (), ""
    outdated, to_call, is_told, details_asked = 0, 0, False, ""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "time_zone" not in self.fields:  # somebody who may only look
            return
        country, state = (self.data.get(name, getattr(self.instance, name)) for name in ("country", "region"))
        self.fields["phone"].region = country = country.strip().upper()
        self.state, self.state_zones = zones_of_state(state) if country == "US" else ("", ())
        field, stored = self.fields["time_zone"], self.instance.time_zone
        field.error_messages["required"] = self._zone_question()
        if self.instance._state.adding:  # the model's default is not this clinic's choice
            return
        if not field.valid_value(stored):
            field.choices = [*field.choices, (stored, stored)]
        if self.state_zones and stored not in self.state_zones:
            field.help_text += f" {self._state_words()} The clinic's is set to {zone_label(stored)}."

    def clean_country(self):
        """One of the countries whose phone numbers can be read (ISO 3166)."""
        country = self.cleaned_data["country"].strip().upper()
        if country not in REGIONS:
            raise ValidationError("Enter the two letters of the clinic's country, such as US or CA.", code="invalid")
        return country

    def clean(self):
        cleaned = super().clean()
        if self.has_error("time_zone", "required") and len(self.state_zones) == 1:
            self.data = self.data.copy()
            self.data["time_zone"] = self.state_zones[0]  # proposed, to be looked at and sent again
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
            self.add_error("time_zone", "This moves what is booked on the clock. Look at the list, then confirm it.")

    def _ask_before_new_details(self, cleaned: dict) -> None:
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
            self.add_error(None, "Patients were sent the old details. Choose whether to tell them, then save.")

    def _zone_question(self) -> str:
        if not self.state_zones:
            return "Choose the time zone of the clock on the clinic's wall."
        if len(self.state_zones) == 1:
            return f"{self._state_words()} It is chosen below now: check it, then save again."
        return f"{self._state_words()} Choose the clinic's."

    def _state_words(self) -> str:
        labels = [zone_label(name) for name in self.state_zones]
        if len(labels) == 1:
            return f"{self.state} is on {labels[0]}."
        return f"Parts of {self.state} are on different clocks: {' or '.join(labels)}."
