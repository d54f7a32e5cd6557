"""The form by which a patient confirms who they are."""

from datetime import datetime

from crispy_forms.helper import FormHelper
from django import forms

from clinic.practice.confirmation import try_code
from clinic.practice.models import Patient


class ConfirmForm(forms.Form):
    """A mailed code; validating it uses it up."""

    code = forms.CharField(
        label="Code from the email",
        max_length=20,
        error_messages={"required": "Enter the 6 digits from the email."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def __init__(self, *args, patient: Patient, now: datetime, **kwargs):
        super().__init__(*args, **kwargs)
        self.patient, self.now = patient, now
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_code(self) -> str:
        """Try the code. The answer is the same for a wrong, an old and a used one."""
        if not try_code(patient=self.patient, typed=self.cleaned_data["code"], now=self.now):
            raise forms.ValidationError(
                "This code does not fit, or it is too old. Look at the newest email, or ask for a new code."
            )
        return self.cleaned_data["code"]
