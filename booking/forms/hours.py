"""The form for closures and extra hours."""

from typing import Any

from django import forms

from booking.actions.block_time import visits_between
from booking.models import Appointment, HoursOverride
from clinic.practice.templatetags.practice_tags import page_time


class HoursOverrideForm(forms.ModelForm):
    """The form for a closure or extra hours.

    A new closure over booked visits is rejected with a list of the visits until staff check the box to block the time
    anyway. With `names_patients` False, for staff without the permission to view visits, the error has only their
    number. The form does not check changes of a stored row; the guard of the admin page does.
    """

    names_patients = True

    despite_visits = forms.BooleanField(
        label="Block it anyway",
        required=False,
        widget=forms.HiddenInput,  # a checkbox once visits are in the way
        help_text="The visits stay booked until you cancel them. Call those patients.",
    )

    class Meta:
        model = HoursOverride
        fields = ("kind", "therapist", "starts_at", "ends_at", "note")

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        is_closure = cleaned.get("kind") == HoursOverride.Kind.CLOSURE
        if (
            self.instance._state.adding
            and is_closure
            and starts_at
            and ends_at
            and starts_at < ends_at
            and not cleaned.get("despite_visits")
        ):
            visits = visits_between(therapist=cleaned.get("therapist"), starts_at=starts_at, ends_at=ends_at)
            if visits:
                self.fields["despite_visits"].widget = forms.CheckboxInput()
                self.add_error("despite_visits", format_visits_in_the_way(visits, named=self.names_patients))
        return cleaned


def format_visits_in_the_way(visits: list[Appointment], *, named: bool) -> str:
    """Return a sentence about the visits in a time to be blocked: a list with names if `named`, else their number."""
    if not named:
        return f"Booked in this time: {len(visits)} visit{'' if len(visits) == 1 else 's'}."
    names = "; ".join(
        f"{visit.patient.name if visit.patient else 'a visitor who is booking now'}, {page_time(visit.starts_at)}"
        for visit in visits
    )
    return f"Booked in this time: {names}."
