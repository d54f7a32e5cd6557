"""The form in which staff move a visit, and the base of all staff forms about a time."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.fields.typed_times import StaffMomentField
from clinic.practice.models import Therapist

OLDEST_NOTED = timedelta(days=30)  # how long a past visit can be entered


class ClinicClockInput(forms.DateTimeInput):
    """A datetime-local input of the browser, in the active time zone."""

    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **kwargs)


class MayBreakRules(forms.Form):
    """Mixin for staff forms: a checkbox, shown with the broken rules, to book despite them."""

    despite_rules = forms.BooleanField(
        label="Do it anyway",
        required=False,
        widget=forms.HiddenInput,  # shown once a rule is broken
        help_text="Two visits can never overlap.",
    )

    past_asked = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)  # the past time asked about

    def clean_starts_at(self) -> datetime:
        """Reject a time more than OLDEST_NOTED ago as a likely typo."""
        starts_at = self.cleaned_data["starts_at"]
        if starts_at < timezone.now() - OLDEST_NOTED:
            raise forms.ValidationError(f"That is more than {OLDEST_NOTED.days} days ago. Check the day and the year.")
        return starts_at

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        asked, starts_at = cleaned.pop("past_asked", ""), cleaned.get("starts_at")
        if starts_at and starts_at <= timezone.now() and asked != starts_at.isoformat():
            cleaned["despite_rules"] = False  # checked for another time: ask again for this one
        return cleaned

    def ask_despite_rules(self, broken_rules: list[str]) -> None:
        """Show the broken rules and the checkbox. A check for a past time counts for that time only."""
        self.fields["despite_rules"].widget = forms.CheckboxInput()
        starts_at = self.cleaned_data["starts_at"]
        if starts_at <= timezone.now():
            replace_sent(self, "past_asked", starts_at.isoformat())
            replace_sent(self, "despite_rules", "")
        for rule in broken_rules:
            self.add_error("despite_rules", rule)


class StaffMoveForm(MayBreakRules):
    """Move a visit to another time or therapist, if it is still in the version that the page showed."""

    therapist = forms.ModelChoiceField(Therapist.objects.active())
    starts_at = StaffMomentField(label="Starts", widget=ClinicClockInput, help_text="Clinic time.")
    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=30)  # `shown`; missing is stale
    field_order = ("therapist", "starts_at", "despite_rules")

    def ask_again(self, text: str, *, version: str) -> None:
        """Show what changed meanwhile; the next submit applies to the visit as it is now (`version`, its `shown`)."""
        replace_sent(self, "version", version)
        self.add_error(None, text)
