"""Find patients who may be the same person, so that staff do not add one twice. Does not merge records."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Concat

from clinic.practice.models import NameKey, Patient
from clinic.practice.people.patients import find_by_phone
from clinic.practice.values.mail_addresses import normalize_address
from clinic.practice.values.names import normalize_name
from clinic.practice.values.phone import base_number

MOST_DUPLICATES = 10


@dataclass(frozen=True)
class PossibleDuplicate:
    """A patient who may be the same person, and why: "same name", "similar name", "same email", "same phone"."""

    patient: Patient
    why: tuple[str, ...]

    @property
    def is_likely(self) -> bool:
        """Whether the name is the same or similar. Members of a family share a phone and a mailbox, but not names."""
        return any("name" in reason for reason in self.why)


def find_possible_duplicates(
    *, name: str, email: str, phone: str, besides: Patient | None = None
) -> list[PossibleDuplicate]:
    """Return up to MOST_DUPLICATES patients with the same or a similar name, the same email address or the same phone.

    Sorted: first those with the same name, then the same email, then the same phone, then by name. One query.
    """
    others = Patient.objects.current()
    if besides is not None and besides.pk:
        others = others.exclude(pk=besides.pk)
    return [_judge(row) for row in _with_reasons(others, normalize_name(name), normalize_address(email), phone)]


def likely_duplicates(*, name: str, email: str, phone: str) -> list[PossibleDuplicate]:
    """Return the results of `find_possible_duplicates` that are likely.

    Staff must decide about them before adding a patient.
    """
    return [one for one in find_possible_duplicates(name=name, email=email, phone=phone) if one.is_likely]


def is_on_file(*, name: str, email: str, phone: str) -> bool:
    """Whether `find_or_register_patient` would return an existing patient instead of registering one."""
    if email:
        return Patient.objects.matching(name=name, email=email).known().exists()
    return find_by_phone(name=name, phone=phone) is not None


def find_namesake(*, name: str, phone: str, besides: Patient) -> Patient | None:
    """Return the known patient other than `besides` with this name and phone number and no email address, or None.

    A unique constraint allows at most one. Returns None for an empty phone number.
    """
    others = Patient.objects.current().known().exclude(pk=besides.pk).exclude(phone="")
    return others.filter(email="", phone=phone, name_key=NameKey(Value(normalize_name(name)))).first()


def _with_reasons(others: QuerySet[Patient], name: str, email: str, phone: str) -> QuerySet[Patient]:
    base = base_number(phone)
    same_name = Q(name_key=NameKey(Value(name)))
    same_parts = _has_parts(name.replace(",", " ").split())
    same_email = Q(email__iexact=email) if email else Q(pk=None)
    same_phone = Q(phone=base) | Q(phone__startswith=f"{base};ext=") if base else Q(pk=None)
    padded = others.alias(padded=Concat(Value(" "), "name_key", Value(" "), output_field=TextField()))
    marked = padded.annotate(
        same_name=_whether(same_name),
        same_parts=_whether(same_parts),
        same_email=_whether(same_email),
        same_phone=_whether(same_phone),
    ).filter(same_name | same_parts | same_email | same_phone)
    return marked.order_by("-same_name", "-same_email", "-same_phone", "name", "pk")[:MOST_DUPLICATES]


def _has_parts(parts: list[str]) -> Q:
    """Return the condition that a name has all of `parts` as words, in any order. Never true for a single part."""
    if len(parts) < 2:
        return Q(pk=None)
    together = Q()
    for part in parts:
        together &= Q(padded__contains=Concat(Value(" "), NameKey(Value(part)), Value(" "), output_field=TextField()))
    return together


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=True), default=False, output_field=BooleanField())


def _judge(row: Any) -> PossibleDuplicate:
    name = "same name" if row.same_name else "similar name" if row.same_parts else ""
    others = ("same email" if row.same_email else "", "same phone" if row.same_phone else "")
    return PossibleDuplicate(row, tuple(filter(None, (name, *others))))
