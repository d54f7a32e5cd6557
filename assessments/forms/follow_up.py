"""The form with which a therapist records the follow-up of a flag."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import TextChoices
from django.utils.text import capfirst

from assessments.models import Finding, Flag, Outcome, Reached
from assessments.red_flags.follow_ups import Done
from clinic.practice.fields.sent_data import replace_sent

LONGEST_NOTE = 2000
STALE = 0  # the version of a form without one: no flag has it


def spell_choices(codes: type[TextChoices], *, none: str) -> list[tuple[str, str]]:
    """Return the choices of a field with a capital letter, and last the empty one, called `none`."""
    return [(code, capfirst(str(label))) for code, label in [*codes.choices, ("", none)]]


class FollowUpForm(forms.Form):
    """How the patient was reached, and what was done.

    `others` are the other open flags of the intake, for which the same can be recorded, because one call is often about
    several flags. The buttons send `settles`. `versions` has the flags to record it for.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    reached = forms.ChoiceField(
        label="Was the patient reached?",
        choices=spell_choices(Reached, none="no one has tried"),
        widget=forms.RadioSelect,
        required=False,
    )
    outcome = forms.ChoiceField(
        label="What was done?",
        choices=spell_choices(Outcome, none="nothing yet"),
        widget=forms.RadioSelect,
        required=False,
    )
    finding = forms.ChoiceField(
        label="What did the doctor find?",
        choices=spell_choices(Finding, none="no finding"),
        widget=forms.RadioSelect,
        required=False,
        help_text="Compared with the concern above. This shows how good the rule is. A normal X-ray alone does not rule "
        "out a bone stress injury: choose “not known yet”.",
    )
    note = forms.CharField(
        label="Note",
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text="Only therapists can read it. It is part of the patient’s record.",
    )
    also = forms.MultipleChoiceField(
        label="Record the same for other open flags of this intake",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        error_messages={"invalid_choice": "One of these flags has changed. Check the list, then choose again."},
    )
    settles = forms.BooleanField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, flag: Flag, others: Iterable[tuple[Flag, str]], **kwargs: Any) -> None:
        kwargs["initial"] = {"version": flag.version, "reached": "", "outcome": "", "finding": ""}
        super().__init__(*args, **kwargs)
        self.flag = flag
        self._others = {f"{other.pk}:{other.version}": (other, title) for other, title in others}
        also: Any = self.fields["also"]
        also.choices = [(value, f"{other.rule_id}: {title}") for value, (other, title) in self._others.items()]
        if not self._others:
            del self.fields["also"]

    def clean_version(self) -> int:
        """Treat a missing version as stale."""
        version = self.cleaned_data["version"]
        return STALE if version is None else version

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            faults = self.done.find_faults(
                settles=cleaned["settles"], flags=len(self.versions), is_emergency=self.is_emergency
            )
            for name, fault in faults.items():
                self.add_error(name, fault)
        return cleaned

    @property
    def done(self) -> Done:
        """What the valid form records."""
        return Done(**{name: self.cleaned_data[name] for name in ("reached", "outcome", "finding", "note")})

    @property
    def versions(self) -> dict[UUID, int]:
        """The flags that the valid form is about, with the versions that the page showed."""
        others = [self._others[value][0] for value in self.cleaned_data.get("also", ())]
        return {self.flag.pk: self.cleaned_data["version"]} | {other.pk: other.version for other in others}

    @property
    def is_emergency(self) -> bool:
        """Whether one of the flags that the valid form is about is an open emergency."""
        others = [self._others[value][0] for value in self.cleaned_data.get("also", ())]
        return any(one.is_open_emergency for one in (self.flag, *others))

    def ask_again(self, text: str) -> None:
        """Show `text` about what has changed. The next submit applies to the flag's current version."""
        replace_sent(self, "version", str(self.flag.version))
        self.add_error(None, text)
