"""Whether anybody looks for due messages at all. Each sweep leaves word, so a dead beat shows before a message is late."""

from datetime import datetime, timedelta

from .models import Sweep

SILENT_AFTER = timedelta(minutes=2)


def note_sweep(*, now: datetime) -> None:
    """Write down that somebody looks now."""
    Sweep.objects.bulk_create(
        [Sweep(swept_at=now)], update_conflicts=True, unique_fields=["id"], update_fields=["swept_at"]
    )


def last_sweep() -> datetime | None:
    """When somebody looked last; None on a site that nobody has started yet. One query."""
    return Sweep.objects.values_list("swept_at", flat=True).first()


def silent_since(*, now: datetime) -> datetime | None:
    """Since when nobody has looked, if that is too long."""
    swept_at = last_sweep()
    return swept_at if swept_at and now - swept_at >= SILENT_AFTER else None
