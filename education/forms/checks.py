"""The forms of the self-checks. Nothing is stored."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clinic.practice.values.numbers import read_digits
from education.body.body_map import Region, place_regions
from education.body.body_sites import BODY_SITES
from education.body.pain_guide import MORNINGS
from education.body.warning_signs import EMERGENCY, NONE, URGENT, most_urgent

LONGEST_RUN = Decimal(500)  # in miles or kilometers; more is a typo
# A fraction belongs to the number before it on its line: "6 1/2" is one run.
_SEPARATORS = re.compile(r"[\n;]+|\s+(?!(?:1/4|1/2|3/4|[¼½¾])(?![^\s,;]))|,(?!\d)")
_KILOMETERS, _MILES = r"(?:km|k|kilomet(?:er|re)s?)", r"(?:mi|miles?)"
_UNIT = re.compile(rf"(?<![a-z])(?:({_KILOMETERS})|{_MILES})(?![a-z])", re.IGNORECASE)


class DistancesField(forms.CharField):
    """Distances in one unit, separated by lines, spaces, commas or semicolons.

    Cleans to a list of Decimals, which may be empty.
    """

    widget = forms.Textarea(attrs={"rows": 4, "inputmode": "decimal", "autocomplete": "off", "class": "form-control"})

    def to_python(self, value: Any) -> list[Decimal]:  # type: ignore[override]  # cleans to numbers, not to text
        typed = super().to_python(value) or ""
        if self.max_length is not None and len(typed) > self.max_length:
            raise ValidationError("Type only the runs of the last 30 days. This is too long for us to read.")
        if len({bool(unit[1]) for unit in _UNIT.finditer(typed)}) > 1:
            raise ValidationError("Please type all runs in one unit, miles or kilometers.")
        lines = (" ".join(line.split()) for line in _UNIT.sub(" ", typed).splitlines())
        parts = [part.strip(", ") for part in _SEPARATORS.split("\n".join(lines))]
        return [read_distance(part) for part in parts if part]


def read_distance(word: str) -> Decimal:
    """Parse `word` as a distance of more than 0 and at most LONGEST_RUN. Raises ValidationError."""
    number = read_digits(word)
    distance = Decimal(number) if number is not None else Decimal(0)
    if distance > LONGEST_RUN:
        raise ValidationError(
            "“%(word)s” is not a distance we can read for one run. The most is %(most)s miles or kilometers.",
            params={"word": word, "most": LONGEST_RUN},
        )
    if distance <= 0:
        raise ValidationError(
            "“%(word)s” is not a distance we can read. Type numbers such as 5 or 6.2.", params={"word": word}
        )
    return distance


class DistanceField(forms.DecimalField):
    """One distance, in the formats of DistancesField. Cleans to a Decimal."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "form-control"})

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # cleans to a Decimal; the stubs say int
        number = read_digits(" ".join(_UNIT.sub(" ", value or "").split()))
        return super().to_python(value if number is None else number)


class LoadCheckForm(forms.Form):
    """The runs of the last 30 days, and the planned run."""

    runs = DistancesField(
        label="How far were your runs in the last 30 days?",
        help_text="Type one number for each run, with spaces, such as: 5 6.2 5 8. Leave this empty if you did not run.",
        required=False,
        max_length=2000,
    )
    plan = DistanceField(
        label="How far do you want to run now?",
        help_text="In the same unit, miles or kilometers.",
        min_value=Decimal("0.1"),
        max_value=LONGEST_RUN,
        decimal_places=2,
        error_messages={
            "required": "Type how far you want to run.",
            "invalid": "Type how far you want to run as a number, such as 6.2.",
        },
    )

    def clean(self) -> dict[str, Any]:
        super().clean()
        typed = f"{self.data.get('runs', '')} {self.data.get('plan', '')}"
        if not self.errors and len({bool(unit[1]) for unit in _UNIT.finditer(typed)}) > 1:
            self.add_error("plan", "Type this run in the same unit as the others, miles or kilometers.")
        return self.cleaned_data


class SignsField(forms.MultipleChoiceField):
    """Warning signs to check, or "None of these"; a blank list is an error. Cleans to the checked signs.

    A checked sign counts even if "None of these" is checked too or another value is invalid.
    """

    widget = forms.CheckboxSelectMultiple
    is_compact = True

    def __init__(self, signs: dict[str, str], *, missing: str, **kwargs: Any) -> None:
        self.signs = signs
        choices = [*signs.items(), (NONE, "None of these")]
        super().__init__(choices=choices, error_messages={"required": missing, "invalid_choice": missing}, **kwargs)

    def clean(self, value: Any) -> list[str]:
        signs = [sign for sign in self.to_python(value) if sign in self.signs]
        if not signs:
            super().clean(value)
        return signs


class SignsFirstForm(forms.Form):
    """Base of forms that ask for warning signs first. A checked sign is enough: errors in other fields are dropped."""

    emergency = SignsField(
        EMERGENCY,
        label="First: does any of this fit you?",
        help_text="These need help at once. Not sure? Check it.",
        missing="Go through the first list: check what fits you, or “None of these”.",
    )
    urgent = SignsField(
        URGENT,
        label="Or any of this?",
        help_text="These need a clinician within a day or two, and no running until then. Not sure? Check it.",
        missing="Go through the second list: check what fits you, or “None of these”.",
    )
    urgency: str | None = None  # `most_urgent` of the checked signs, after cleaning
    skipped_emergencies = False  # an urgent sign was checked, and the emergency list was left blank

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        self.urgency = most_urgent({*cleaned.get("emergency", ()), *cleaned.get("urgent", ())})
        if self.urgency:
            self.skipped_emergencies = "emergency" in self.errors
            self.errors.clear()
        return cleaned


class PainGuideForm(SignsFirstForm):
    """Warning signs, then the pain during a run and after it."""

    worst = forms.TypedChoiceField(
        label="How bad was it at its worst, in the run or that evening?",
        help_text="0 is none, 10 is the worst you can think of.",
        choices=[("", "Choose a number"), *((number, str(number)) for number in range(11))],
        coerce=int,
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={"required": "Choose a number from 0 to 10 for the pain at its worst."},
    )
    morning = forms.ChoiceField(
        label="How was the next morning?",
        widget=forms.RadioSelect,
        choices=list(
            zip(
                MORNINGS,
                ("As usual, or better", "A bit worse, gone by noon", "Clearly worse, or stiff all day"),
                strict=True,
            )
        ),
        error_messages={"required": "Say how the next morning was."},
    )
    is_rising = forms.TypedChoiceField(
        label="Has it been rising from week to week?",
        widget=forms.RadioSelect,
        choices=[("no", "No"), ("yes", "Yes, or I am not sure")],
        coerce=lambda answer: answer == "yes",
        error_messages={"required": "Say whether it has been rising from week to week."},
    )


class BodySiteField(forms.ChoiceField):
    """A body site, numbered in the list as on the body map."""

    widget = forms.RadioSelect
    is_numbered = True


class BodySiteForm(SignsFirstForm):
    """Warning signs, then the painful body site."""

    place = BodySiteField(
        label="Where does it hurt most?",
        choices=[(code, site.name) for code, site in BODY_SITES.items()],
        error_messages={"required": "Choose where it hurts most."},
    )

    @property
    def regions(self) -> list[Region]:
        """The regions of the body map beside the list."""
        boxes = self["place"].subwidgets
        return place_regions((box.data["value"], box.id_for_label) for box in boxes)
