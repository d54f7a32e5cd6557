"""The forms for visitors' contact details: name, email address, phone."""

from typing import Any, cast

from crispy_forms.helper import FormHelper
from django import forms

from booking.models import Service
from clinic.practice.fields.form_fields import AddressField, NameField, PhoneField
from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.models import Clinic
from clinic.practice.values.mail_addresses import readable_address
from clinic.practice.values.mail_domains import suggest_address


def own_email_field(label: str, *, help_text: str = "") -> AddressField:
    """Return the field for a visitor's own email address, with autocomplete."""
    field = AddressField(
        label=label,
        help_text=help_text,
        error_messages={"required": "Enter your email address."},
    )
    field.widget.attrs["autocomplete"] = "email"
    return field


class AsksAboutTypos(forms.Form):
    """Mixin for forms with an `email` field. It rejects a likely typo once, then accepts the same address."""

    email_asked_about = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        email = cleaned.get("email", "")
        meant = suggest_address(email)
        if meant and self.data.get(self.add_prefix("email_asked_about")) != email:
            replace_sent(self, "email_asked_about", email)
            self.add_error(
                "email",
                f"Did you mean {meant}? Correct it, or press the button again to keep {readable_address(email)}.",
            )
        return cleaned


class ContactForm(AsksAboutTypos):
    """The form for name, email, phone and mode. The mode is hidden if the service has only one."""

    name = NameField(
        label="Your name",
        error_messages={"required": "Enter your name."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = own_email_field("Email", help_text="We email you the day, the time and a link to move or cancel.")
    phone = PhoneField(
        label="Phone",
        help_text="We call only about this visit.",
        error_messages={"required": "Enter a phone number where we can reach you."},
    )
    mode = forms.ChoiceField(
        label="How would you like to meet?",
        error_messages={
            "required": "Choose how you would like to meet.",
            "invalid_choice": "Choose one of the ways listed for this visit.",
        },
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, service: Service, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(PhoneField, self.fields["phone"]).region = clinic.country
        modes = service.modes
        cast(forms.ChoiceField, self.fields["mode"]).choices = [(mode.name, mode.choice) for mode in modes]
        is_other_sent = self.is_bound and self.data.get(self.add_prefix("mode")) != modes[0].name
        if len(modes) == 1 and not is_other_sent:  # if the sent mode is no longer offered, ask again
            self.fields["mode"].widget = forms.HiddenInput()
            self.initial["mode"] = modes[0].name
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.form_show_errors = True


class AddressForm(AsksAboutTypos):
    """The form for the corrected email address of a visit."""

    email = own_email_field("Your email address")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ReturningForm(AsksAboutTypos):
    """The form for the email address of an earlier booking."""

    email = own_email_field("Email address you booked with")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
