"""The clinic in every template."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.practice.models import Clinic
from clinic.practice.people.contact_card import remember_contact


def clinic(request: HttpRequest) -> dict[str, object]:
    """Return `clinic` and `emergency_number`. The first use of either reads both and updates the cached contact card.

    At most one query.
    """
    current = SimpleLazyObject(lambda: remember_contact(Clinic.objects.current()))
    return {"clinic": current, "emergency_number": SimpleLazyObject(lambda: current.emergency_number)}
