"""Forms with which patients confirm their identity."""

from datetime import date, datetime
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils import timezone

from assessments.intake.responses import in_clinic_zone
from assessments.questionnaire.typed_answers import read_day
from clinic.practice.access.confirmation import is_birth_date, try_code
from clinic.practice.models import Patient


class ConfirmForm(forms.Form):
    """The form for an emailed code. Validation uses up a correct code and counts a wrong one."""

    code = forms.CharField(
        label="Code from the email",
        max_length=20,
        error_messages={"required": "Enter the 6 digits from the email."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, patient: Patient, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patient, self.now = patient, now
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_code(self) -> str:
        """Use up a correct code, or count a wrong one. The error is the same for a wrong, expired and used code."""
        if not try_code(patient=self.patient, typed=self.cleaned_data["code"], now=self.now):
            raise forms.ValidationError(
                "This code is wrong or has expired. Use the code in the newest email, or ask for a new one."
            )
        return self.cleaned_data["code"]


class PastDayField(forms.DateField):
    """A past day, typed with a year of two or four digits.

    A browser's date input turns 4/30/87 into the year 0087, which is read as 1987. A day in the future is moved back
    100 years, unless it is February 29 or that would be before 1901; then it is returned unchanged.
    """

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(read_day(value.strip()) or value if isinstance(value, str) else value)
        if day is None:
            return None
        is_ahead = day > in_clinic_zone(timezone.now()).date() and day.year - 100 > 1900
        return day.replace(year=day.year - 100) if is_ahead and (day.month, day.day) != (2, 29) else day


class BirthDateForm(forms.Form):
    """The form for the birth date, for patients with one on file. The caller applies the rate limit."""

    birth_on = PastDayField(
        label="Your date of birth",
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "bday"}, format="%Y-%m-%d"),
        error_messages={"required": "Enter your date of birth.", "invalid": "Enter a date like 04/30/1987."},
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_birth_on(self) -> date:
        """Check that the typed date is the one on file."""
        typed = self.cleaned_data["birth_on"]
        if not is_birth_date(patient=self.patient, typed=typed):
            raise forms.ValidationError("This is not the date we have on file. Try again, or ask for a code.")
        return typed
