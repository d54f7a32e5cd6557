"""The one form of booking: who comes."""

import uuid

from crispy_forms.helper import FormHelper
from django import forms

from booking.models import Service, VisitMode
from clinic.practice.forms import PhoneField
from clinic.practice.models import Clinic

MODE_WORDS = {
    VisitMode.IN_PERSON: "At the clinic",
    VisitMode.VIDEO: "By video: we send you a link",
    VisitMode.PHONE: "By phone: we call you",
}


class DetailsForm(forms.Form):
    """Name, e-mail, phone, and how to meet where a service leaves a choice."""

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="We send the day, the time and a link to change your mind.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = PhoneField(label="Phone", help_text="We call only about this visit.")
    mode = forms.ChoiceField(label="How shall we meet?", widget=forms.RadioSelect)
    idempotency_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, service: Service, clinic: Clinic, **kwargs):
        kwargs.setdefault("initial", {"idempotency_key": uuid.uuid4()})
        super().__init__(*args, **kwargs)
        self.fields["phone"].region = clinic.country
        modes = service.modes
        self.fields["mode"].choices = [(mode.value, MODE_WORDS[mode]) for mode in modes]
        if len(modes) == 1:
            self.fields["mode"].widget = forms.HiddenInput()
            self.initial["mode"] = modes[0].value
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.form_show_errors = True

    def clean_name(self) -> str:
        """A name is one line; whatever else was pasted becomes spaces."""
        return " ".join(self.cleaned_data["name"].split())
