"""The form for closures and extra hours."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils import timezone

from booking.actions.block_time import askable_visits, visits_between
from booking.messages.delivery import reached_by
from booking.messages.names import ASKED_TO_MOVE
from booking.models import Appointment, HoursOverride
from clinic.practice.fields.sent_data import replace_sent
from clinic.practice.templatetags.practice_tags import page_time

SHOWN, ASK = "visits_shown", "ask"  # inputs of the list of visits, each with the key and `shown` of a visit


@dataclass(frozen=True)
class VisitInTheWay:
    """A visit in the time to be blocked, and whether its patient can be asked by message to choose another time."""

    visit: Appointment
    may_ask: bool
    is_to_ask: bool

    @property
    def value(self) -> str:
        """The visit and the state in which it was shown, for the inputs of the page."""
        return f"{self.visit.pk}={self.visit.shown}"


class HoursOverrideForm(forms.ModelForm):
    """The form for a closure or extra hours.

    A new closure over booked visits is rejected with a list of the visits until staff check the box to block the time
    anyway. They are asked again if other visits are in the way then. A form that is opened with a start and an end has
    the list at once. With `names_patients` False, for staff without the
    permission to view visits, the page shows only their number. `may_ask` is for those who may change visits. The form
    does not check changes of a stored row; the guard of the admin page does.
    """

    names_patients = True
    may_ask = True

    despite_visits = forms.BooleanField(
        label="Block it anyway",
        required=False,
        widget=forms.HiddenInput,  # a checkbox once visits are in the way
        help_text="The visits stay booked until the patients choose another time, or until you move or cancel them.",
    )

    class Meta:
        model = HoursOverride
        fields = ("kind", "therapist", "starts_at", "ends_at", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_the_way: list[VisitInTheWay] = []  # to be shown
        self.seen: set[UUID] = set()  # the visits that staff were shown and block anyway
        self.asks: dict[UUID, str] = {}  # the visits to ask about, with their `shown`
        if not self.is_bound and self.instance._state.adding:
            self._list_visits_at_given_time()

    def _list_visits_at_given_time(self) -> None:
        given = {}
        for name in ("therapist", "starts_at", "ends_at"):
            with suppress(forms.ValidationError):
                given[name] = self.fields[name].clean(self.initial.get(name))
        if len(given) == 3 and given["starts_at"] < given["ends_at"] and (visits := visits_between(**given)):
            self._list(self._rows(visits))
            count = format_visits_in_the_way(visits, named=False)
            self.fields["despite_visits"].help_text = f"{count} {self.fields['despite_visits'].help_text}"

    def clean(self) -> dict[str, Any]:
        super().clean()
        cleaned = self.cleaned_data
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        is_closure = cleaned.get("kind") == HoursOverride.Kind.CLOSURE
        if self.instance._state.adding and is_closure and starts_at and ends_at and starts_at < ends_at:
            visits = visits_between(therapist=cleaned.get("therapist"), starts_at=starts_at, ends_at=ends_at)
            self._check(visits, is_confirmed=bool(cleaned.get("despite_visits")))
        return cleaned

    def _check(self, visits: Sequence[Appointment], *, is_confirmed: bool) -> None:
        if not visits:
            return
        rows = self._rows(visits)
        if is_confirmed and {row.value for row in rows} <= set(self._sent(SHOWN)):
            self.seen = {row.visit.pk for row in rows}
            self.asks = {row.visit.pk: row.visit.shown for row in rows if row.may_ask and row.is_to_ask}
            return
        self._list(rows)
        if is_confirmed:
            replace_sent(self, "despite_visits", "")
        self.add_error("despite_visits", format_visits_in_the_way(visits, named=False))  # the names are in the list

    def _list(self, rows: list[VisitInTheWay]) -> None:
        self.in_the_way = rows
        self.fields["despite_visits"].widget = forms.CheckboxInput()

    def _rows(self, visits: Sequence[Appointment]) -> list[VisitInTheWay]:
        """Return the visits. At first, all that can be asked about are chosen; later, those that staff chose."""
        can_ask = askable_visits(visits, now=timezone.now()) if self.may_ask and self.names_patients else []
        reached = reached_by(can_ask, ASKED_TO_MOVE)
        shown, chosen = self._sent(SHOWN), self._sent(ASK)
        keys = {one.partition("=")[0] for one in shown}
        return [
            VisitInTheWay(
                visit,
                may_ask=visit.pk in reached,
                is_to_ask=str(visit.pk) not in keys or f"{visit.pk}={visit.shown}" in chosen,
            )
            for visit in visits
        ]

    def _sent(self, name: str) -> list[str]:
        return self.data.getlist(name) if isinstance(self.data, QueryDict) else []


def format_visits_in_the_way(visits: Sequence[Appointment], *, named: bool) -> str:
    """Return a sentence about the visits in a time to be blocked: a list with names if `named`, else their number."""
    if not named:
        return f"Booked in this time: {len(visits)} visit{'' if len(visits) == 1 else 's'}."
    names = "; ".join(
        f"{visit.patient.name if visit.patient else 'a visitor who is booking now'}, {page_time(visit.starts_at)}"
        for visit in visits
    )
    return f"Booked in this time: {names}."
