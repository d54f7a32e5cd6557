"""Values that could not be decrypted, recorded when a page needs one, so that /health/ of every process reports it."""

from datetime import datetime, timedelta

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, FieldError

from clinic.audit.models import UnopenedValue
from clinic.audit.sealing import DecryptionFailed

ALARM_LASTS = timedelta(hours=1)  # from the last failed attempt
MOST_TRIED = 20  # bounds the cost of a request for /health/; one value is enough to show a lost key


def note_unopened(*, place: str, now: datetime) -> None:
    """Record that the value at `place` (its field and row) could not be decrypted at `now`."""
    UnopenedValue.objects.bulk_create(
        [UnopenedValue(place=place, tried_at=now)],
        update_conflicts=True,
        unique_fields=["place"],
        update_fields=["tried_at"],
    )


def count_unopened(*, now: datetime) -> int:
    """Return how many values that failed within ALARM_LASTS still cannot be decrypted, up to MOST_TRIED.

    One query if none failed.
    """
    noted = UnopenedValue.objects.filter(tried_at__gt=now - ALARM_LASTS).order_by("-tried_at")
    return sum(not _opens_now(place) for place in noted.values_list("place", flat=True)[:MOST_TRIED])


def _opens_now(place: str) -> bool:
    """Whether the value can be decrypted now, or its row, column or table no longer exists."""
    name, _, pk = place.partition(":")
    label, _, field_name = name.rpartition(".")
    try:
        row = apps.get_model(label)._base_manager.filter(pk=pk).only("pk", field_name).first()
        getattr(row, field_name, None)
    except DecryptionFailed:
        return False
    except (LookupError, FieldDoesNotExist, FieldError):  # noted by an earlier release
        return True
    return True
