"""The form with which staff move a visit, and what it shares with other staff forms: a mixin and an input."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone

from booking.models import Appointment
from booking.models.visit_states import UNDO_FOR
from booking.schedule.errors import NotOfferedBecause
from booking.schedule.local_time import TYPED_FORMAT
from booking.schedule.rules import allowed_minutes
from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.fields.typed_times import StaffMomentField
from clinic.practice.models import Therapist

OLDEST_NOTED = timedelta(days=30)  # how far back a past visit can be entered


class ClinicClockInput(forms.DateTimeInput):
    """A datetime-local input, in the active time zone."""

    input_type = "datetime-local"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format=TYPED_FORMAT, **kwargs)


class MayBreakRules(forms.Form):
    """Mixin for staff forms with a `starts_at`. It adds a checkbox that overrides the booking rules.

    The checkbox is hidden until a rule is broken. Then it is shown with `broken_rules`, and confirms only these. The
    cleaned value of `despite_rules` is the set of confirmed rules.
    """

    broken_rules: Sequence[str] = ()  # sentences

    despite_rules = forms.BooleanField(
        label="Do it anyway",
        required=False,
        widget=forms.HiddenInput,  # a checkbox once a rule is broken
        help_text="Two visits can never overlap.",
    )

    rules_shown = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    past_asked = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)  # the past start to confirm

    def clean_starts_at(self) -> datetime:
        """Reject a start more than OLDEST_NOTED ago as a likely typo."""
        starts_at = self.cleaned_data["starts_at"]
        if starts_at < timezone.now() - OLDEST_NOTED:
            raise forms.ValidationError(f"That is more than {OLDEST_NOTED.days} days ago. Check the day and the year.")
        return starts_at

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        shown, starts_at = cleaned.pop("rules_shown", "").split(), cleaned.get("starts_at")
        is_confirmed = cleaned.pop("despite_rules", False)
        if starts_at and cleaned.pop("past_asked", "") != _past(starts_at):
            is_confirmed = False  # the box was not checked for this past start: ask again
        cleaned["despite_rules"] = frozenset(one for one in NotOfferedBecause if is_confirmed and one in shown)
        return cleaned

    def show_rules(self, reasons: Collection[NotOfferedBecause], sentences: Sequence[str], starts_at: datetime) -> None:
        """Show the broken rules `reasons` as `sentences`, with the checkbox, in a bound or unbound form.

        It stays checked if it was checked for all of them; for a past start, only if it was for that start.
        """
        self.fields["despite_rules"].widget = forms.CheckboxInput()
        self.broken_rules = sentences
        asked = {"rules_shown": " ".join(reasons), "past_asked": _past(starts_at), "despite_rules": ""}
        if not self.is_bound:
            self.initial.update(asked)
            return
        shown, past = self["rules_shown"].value() or "", self["past_asked"].value() or ""
        if not set(reasons) <= set(shown.split()) or past != _past(starts_at):
            for name, value in asked.items():
                replace_sent(self, name, value)

    def refuse_for_rules(self, reasons: Collection[NotOfferedBecause], sentences: Sequence[str]) -> None:
        """Show the broken rules of the valid form as in `show_rules`, as errors."""
        self.show_rules(reasons, sentences, self.cleaned_data["starts_at"])
        for sentence in sentences:
            self.add_error("despite_rules", sentence)


def _past(starts_at: datetime) -> str:
    return starts_at.isoformat() if starts_at <= timezone.now() else ""


class StaffMoveForm(MayBreakRules):
    """The form that moves a visit to another time or therapist. `version` is the one that the page showed."""

    therapist = forms.ModelChoiceField(Therapist.objects.active())
    starts_at = StaffMomentField(label="Starts", widget=ClinicClockInput, help_text="Clinic time.")
    minutes = forms.TypedChoiceField(
        label="Length", coerce=int, empty_value=None, required=False, help_text="The price stays as agreed."
    )
    notify = forms.ChoiceField(
        label="Tell the patient?",
        choices=[("yes", "Yes"), ("no", "No, send nothing about this move")],
        required=False,
        initial="yes",
        widget=forms.RadioSelect,
        help_text=f"They get one email with the new time and its calendar entry, {UNDO_FOR.seconds // 60} minutes from "
        "now. Until then you can undo the move. If you choose no, reminders still show the new time.",
    )
    # The visit's `shown`. A missing value is treated as stale.
    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=30)
    back = forms.CharField(widget=forms.HiddenInput, required=False, max_length=500)
    field_order = ("therapist", "starts_at", "minutes", "notify", "despite_rules")

    def __init__(self, data: QueryDict | None, *, visit: Appointment, back: str) -> None:
        """Show the present time of `visit`. `back` is a checked address in the admin to return to; empty for none."""
        initial = {"therapist": visit.therapist, "starts_at": visit.starts_at, "minutes": visit.minutes}
        if data is not None:  # the calendar sends neither: unchanged, and told
            data = data.copy()
            data.setdefault("minutes", str(visit.minutes))
            data.setdefault("notify", "yes")
        super().__init__(data, initial={**initial, "version": visit.shown, "back": back})
        lengths = [(minutes, f"{minutes} minutes") for minutes in allowed_minutes(visit)]
        cast(forms.ChoiceField, self.fields["minutes"]).choices = lengths
        if len(lengths) == 1:
            del self.fields["minutes"]

    @property
    def move(self) -> dict[str, Any]:
        """The arguments for `move_appointment` of a valid form."""
        sent = {name: value for name, value in self.cleaned_data.items() if name != "back"}
        return {**sent, "notify": sent["notify"] != "no"}

    def ask_again(self, text: str, *, version: str) -> None:
        """Show `text` about what has changed, and set the form's version to `version`, the visit's current `shown`.

        The next submit applies to that version.
        """
        replace_sent(self, "version", version)
        self.add_error(None, text)
