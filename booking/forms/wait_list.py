"""The forms of the wait list."""

from datetime import date
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from booking.forms.contact import ContactForm
from booking.schedule.clocks import Clock
from booking.time.day_parts import PARTS
from booking.wait_list.entries import Wishes
from clinic.practice.fields.typed_times import StaffDayField
from clinic.practice.values.dates import format_day


class DayInput(forms.DateInput):
    """A date input."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class WishesForm(forms.Form):
    """The form for the days and the part of the day that suit the patient, in the zone of `clock`."""

    part_of_day = forms.ChoiceField(
        label="Time of day",
        required=False,
        choices=[("", "Any time"), *((part.slug, part.label.capitalize()) for part in PARTS.values())],
    )
    first_on = StaffDayField(
        label="First day",
        widget=DayInput,
        error_messages={
            "required": "Enter the first day that works for you.",
            "invalid": "Enter a day like 12/24/2026.",
        },
    )
    last_on = StaffDayField(
        label="Last day",
        widget=DayInput,
        help_text="After this day we stop emailing you about it.",
        error_messages={
            "required": "Enter the last day that works for you.",
            "invalid": "Enter a day like 12/24/2026.",
        },
    )

    def __init__(self, *args: Any, clock: Clock, today: date, latest: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock, self.today, self.latest = clock, today, latest
        self.fields["part_of_day"].help_text = f"{clock.label}."
        for name in ("first_on", "last_on"):
            self.fields[name].widget.attrs |= {"min": today.isoformat(), "max": latest.isoformat()}
        self.initial = {"first_on": today, "last_on": latest, **self.initial}
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_last_on(self) -> date:
        """Require a last day that is not before today or `first_on`, and not after `latest`."""
        first_on, last_on = self.cleaned_data.get("first_on"), self.cleaned_data["last_on"]
        if last_on < max(first_on or self.today, self.today):
            raise forms.ValidationError("Choose a last day that is not before the first day or today.")
        if last_on > self.latest:
            raise forms.ValidationError(
                f"The last day can be {format_day(self.latest, today=self.today)} at the latest."
            )
        return last_on

    @property
    def wishes(self) -> Wishes:
        """The cleaned days and part of the day, with their time zone."""
        typed = {name: self.cleaned_data[name] for name in ("first_on", "last_on", "part_of_day")}
        return Wishes(**typed, time_zone=self.clock.stored_zone_name)


class JoinForm(WishesForm, ContactForm):
    """The form for the wishes and contact details of a visitor who joins."""

    field_order = ("part_of_day", "first_on", "last_on", "name", "email", "phone", "mode")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = "We email you here when a time opens up."
        self.fields["phone"].help_text = "We call only about a visit."
