"""Email addresses and phone numbers that only one person has. A family may share a mailbox and a phone."""

from collections.abc import Sequence

from django.db.models import Func, QuerySet, TextField, Value
from django.db.models.functions import Lower

from clinic.practice.models import Patient
from clinic.practice.values.phone import base_number


def own_addresses(patients: Sequence[Patient]) -> set[str]:
    """Return the email addresses of these rows of one person, in lower case, that no other patient has. One query."""
    addresses = {patient.email.lower() for patient in patients if patient.email}
    shared = _others(patients).annotate(address=Lower("email")).filter(address__in=addresses)
    return addresses - set(shared.values_list("address", flat=True))


def own_numbers(patients: Sequence[Patient]) -> set[str]:
    """Return the numbers of these rows, without extensions, that no other patient has. One query."""
    numbers = {base_number(patient.phone) for patient in patients if patient.phone}
    base = Func("phone", Value(";"), Value(1), function="split_part", output_field=TextField())
    shared = _others(patients).annotate(base=base).filter(base__in=numbers)
    return numbers - set(shared.values_list("base", flat=True))


def _others(patients: Sequence[Patient]) -> QuerySet[Patient]:
    return Patient.objects.current().exclude(pk__in=[patient.pk for patient in patients])
