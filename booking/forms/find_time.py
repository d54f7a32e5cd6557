"""The form with which staff search for free times. Sent by GET, so it has no data of a patient."""

from typing import Any

from django import forms

from booking.models import Service
from booking.time.day_parts import PARTS, PartOfDay
from clinic.practice.fields.typed_times import StaffDayField, StaffMomentField
from clinic.practice.models import Therapist


class DayInput(forms.DateInput):
    """A date input of the browser."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class FindTimeForm(forms.Form):
    """Service, therapists (none: any), part of the day, and the first day (empty: today). `after` is for later times."""

    service = forms.ModelChoiceField(Service.objects.all(), empty_label="Choose a service")
    first_day = StaffDayField(label="From", required=False, widget=DayInput)
    part = forms.ChoiceField(
        label="Part of the day",
        required=False,
        choices=[("", "Any time"), *((part.slug, part.label.capitalize()) for part in PARTS.values())],
    )
    therapist = forms.ModelMultipleChoiceField(
        Therapist.objects.active(), label="Therapists", required=False, widget=forms.CheckboxSelectMultiple
    )
    after = StaffMomentField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(self.fields["therapist"].choices) < 2:  # type: ignore[attr-defined]
            del self.fields["therapist"]

    @property
    def part_of_day(self) -> PartOfDay | None:
        """The chosen part of the day of the valid form; None for any time."""
        return PARTS.get(self.cleaned_data["part"])
