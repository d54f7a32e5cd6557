"""Heartbeat of the sweep for due messages. It reveals a dead worker or beat before a message is late.

The heartbeat is expected from the first start on, and a later start does not reset it. So a web process that restarts
cannot hide a dead worker, and after an outage the alarm remains on until the next sweep, seconds after the worker is
up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clinic.outbox.models import Sweep

SILENT_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Heartbeat:
    """The first start of web, worker or beat on this database, and the last sweep. None for never."""

    first_started_at: datetime | None = None
    swept_at: datetime | None = None

    def silent_since(self, now: datetime) -> datetime | None:
        """Return the time of the last sweep (or first start) if that is SILENT_AFTER ago or longer, else None."""
        since = self.swept_at or self.first_started_at
        return since if since and now - since >= SILENT_AFTER else None


def note_start(*, now: datetime) -> None:
    """Record the first start, after which a heartbeat is expected. No-op on later starts."""
    Sweep.objects.bulk_create([Sweep(first_started_at=now)], ignore_conflicts=True)


def note_sweep(*, now: datetime) -> None:
    """Write the heartbeat."""
    Sweep.objects.bulk_create(
        [Sweep(first_started_at=now, swept_at=now)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["swept_at"],
    )


def read_heartbeat() -> Heartbeat:
    """Read the heartbeat. One query."""
    row = Sweep.objects.first()
    return Heartbeat(row.first_started_at, row.swept_at) if row else Heartbeat()


def silent_since(*, now: datetime) -> datetime | None:
    """Return `Heartbeat.silent_since` of the stored heartbeat. One query."""
    return read_heartbeat().silent_since(now)
