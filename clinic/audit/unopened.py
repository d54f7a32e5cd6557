"""Values that failed to decrypt: recorded when a page needed one, so that /health/ of every process reports it."""

from datetime import datetime, timedelta

from django.apps import apps

from clinic.audit.models import UnopenedValue
from clinic.audit.sealing import DecryptionFailed

ALARM_LASTS = timedelta(hours=1)  # after the last attempt
MOST_TRIED = 20  # the first shows a lost key; the limit bounds the cost of a request for /health/


def note_unopened(*, place: str, now: datetime) -> None:
    """Note that the value at `place` (its field and row) did not open just now."""
    UnopenedValue.objects.bulk_create(
        [UnopenedValue(place=place, tried_at=now)],
        update_conflicts=True,
        unique_fields=["place"],
        update_fields=["tried_at"],
    )


def count_unopened(*, now: datetime) -> int:
    """Return how many values that a page needed in the last hour still do not open, up to MOST_TRIED.

    One query if there are none.
    """
    noted = UnopenedValue.objects.filter(tried_at__gt=now - ALARM_LASTS).order_by("-tried_at")
    return sum(not _opens_now(place) for place in noted.values_list("place", flat=True)[:MOST_TRIED])


def _opens_now(place: str) -> bool:
    """Whether the value opens now, or its row is gone."""
    name, _, pk = place.partition(":")
    label, _, field_name = name.rpartition(".")
    row = apps.get_model(label)._base_manager.filter(pk=pk).only("pk", field_name).first()
    try:
        getattr(row, field_name, None)
    except DecryptionFailed:
        return False
    return True
