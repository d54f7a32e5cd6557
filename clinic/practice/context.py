"""What every template may name: the clinic."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.practice.people.contact_card import remember_contact

from .models import Clinic


def clinic(request: HttpRequest) -> dict[str, object]:
    """`clinic` and `emergency_number`; read from the database on first use, and once for both."""
    current = SimpleLazyObject(lambda: remember_contact(Clinic.objects.current()))
    return {"clinic": current, "emergency_number": SimpleLazyObject(lambda: current.emergency_number)}
