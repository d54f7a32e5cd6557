"""What readers type or tick to think something over. Nothing of it is stored."""

import re
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError

from ..pain_guide import MORNINGS
from ..places import PLACES
from ..signs import EMERGENCY, URGENT

LONGEST_RUN = Decimal(500)  # nobody runs further in one go, in miles or kilometers
_SEPARATORS = re.compile(r"[\s;]+|,(?!\d)|,(?=\d{3,})")
_DISTANCE = re.compile(r"(\d{1,4}(?:[.,]\d{1,2})?)(?:km|k|mi|miles?)?", re.IGNORECASE)
SIGNS = [
    ("Help now", list(EMERGENCY.items())),
    ("Seen within a day or two", list(URGENT.items())),
]


class DistancesField(forms.CharField):
    """Distances in one unit, one a line or with spaces between. Cleans to a list of Decimals, which may be empty."""

    widget = forms.Textarea(attrs={"rows": 4, "inputmode": "decimal", "autocomplete": "off", "class": "form-control"})

    def to_python(self, value):
        words = [word for word in _SEPARATORS.split(super().to_python(value)) if word.strip(",")]
        return [read_distance(word.strip(",")) for word in words]


def read_distance(word: str) -> Decimal:
    """`word` as a distance of more than 0 and at most LONGEST_RUN. Raises ValidationError."""
    match = _DISTANCE.fullmatch(word)
    distance = Decimal(match[1].replace(",", ".")) if match else Decimal(0)
    if not 0 < distance <= LONGEST_RUN:
        raise ValidationError(
            "“%(word)s” is not a distance we can read. Type numbers such as 5 or 6.2.", params={"word": word}
        )
    return distance


class LoadCheckForm(forms.Form):
    """The runs of a month, and the one that is planned."""

    runs = DistancesField(
        label="How far were your runs in the last 30 days?",
        help_text="One number for each run, with a space between, such as: 5 6.2 5 8. Leave it empty if there was none.",
        required=False,
        max_length=2000,
    )
    plan = forms.DecimalField(
        label="How far do you want to run now?",
        help_text="In the same unit, miles or kilometers.",
        min_value=Decimal("0.1"),
        max_value=LONGEST_RUN,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )


class SignsField(forms.MultipleChoiceField):
    """Which of the signs to get help fit; none has to."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs):
        super().__init__(choices=SIGNS, required=False, label="Does any of this fit you?", **kwargs)


class PainGuideForm(forms.Form):
    """Pain in a run and after it."""

    signs = SignsField(help_text="If one of these fits, the guide is not for you now. Not sure? Tick it.")
    worst = forms.TypedChoiceField(
        label="How bad was it at its worst, in the run or that evening?",
        help_text="0 is none, 10 is the worst you can think of.",
        choices=[("", "Choose a number"), *((number, str(number)) for number in range(11))],
        coerce=int,
        widget=forms.Select(attrs={"class": "form-select"}),
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
    )
    is_rising = forms.BooleanField(label="It has been rising from week to week", required=False)


class PlaceForm(forms.Form):
    """Where it hurts."""

    signs = SignsField(help_text="Please look at these first. Not sure? Tick it.")
    place = forms.ChoiceField(
        label="Where does it hurt most?",
        widget=forms.RadioSelect,
        choices=[(code, place.name) for code, place in PLACES.items()],
    )
