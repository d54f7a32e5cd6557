"""Form fields that several rooms use."""

from django import forms
from django.core.exceptions import ValidationError

from .phone import PhoneInvalid, parse_phone


class PhoneField(forms.CharField):
    """A telephone number typed any way people type it; cleans to E.164, or "" when it may be empty.

    `region` is the country of a number typed without one.
    """

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})
    default_error_messages = {"invalid": "Enter a phone number with its area code, like 603 555 0123."}

    def __init__(self, *, region="US", max_length=40, **kwargs):
        self.region = region
        super().__init__(max_length=max_length, **kwargs)

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return ""
        try:
            return parse_phone(text, self.region)
        except PhoneInvalid:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
