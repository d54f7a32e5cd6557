"""The patients on the wait list for whom free time in a schedule has a time."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from booking.models import Service, WaitListEntry
from booking.schedule.schedules import Schedule
from booking.time.intervals import Interval, offered_starts
from booking.wait_list.entries import Wishes, wishes_of
from clinic.practice.models import Clinic, Therapist

DAY = timedelta(days=1)
Starts = dict[UUID, list[datetime]]  # start times by the key of the service


@dataclass(frozen=True)
class Waiting:
    """An entry of the wait list, with what it takes to match a time."""

    entry: WaitListEntry
    name: str
    wishes: Wishes

    def suits(self, starts_at: datetime, clinic: Clinic) -> bool:
        """Whether a visit at `starts_at` is wished for, and earlier than the one that it would replace."""
        is_earlier = self.entry.next_visit_at is None or starts_at < self.entry.next_visit_at
        return is_earlier and self.wishes.suit(starts_at, clinic)

    def first_in(self, gap: Interval, starts: Starts, clinic: Clinic) -> datetime:
        """Return the first of `starts` in `gap` that is suitable. Raises StopIteration if there is none."""
        own = starts.get(self.entry.service_id, ())
        return next(one for one in own if gap.start <= one < gap.end and self.suits(one, clinic))


@dataclass(frozen=True)
class WaitList:
    """The entries that are not expired, oldest first, and the therapists of their services."""

    waiting: list[Waiting]
    therapists: dict[UUID, set[UUID]]  # by the key of the service

    @property
    def services(self) -> list[Service]:
        """The services for which someone waits."""
        return list({one.entry.service_id: one.entry.service for one in self.waiting}.values())

    def starts_in(self, schedule: Schedule, *, earliest: datetime) -> Starts:
        """Return when a visit of each service could start in `schedule`, from `earliest` on.

        Staff book despite caps and notice, and in hours that are not offered online.
        """
        therapist, openings = schedule.therapist, schedule.all_openings
        if not openings:
            return {}
        return {
            service.pk: offered_starts(
                openings=openings,
                closed=schedule.closed,
                blocked=schedule.blocked,
                shape=service.shape,
                earliest=earliest,
                latest=max(opening.end for opening in openings),
            )
            for service in self.services
            if therapist.pk in self.therapists[service.pk]
        }

    def matching(self, gap: Interval, therapist: Therapist, starts: Starts, clinic: Clinic) -> list[Waiting]:
        """Return the entries for which one of `starts` in `gap` is suitable, the longest waiting first."""
        inside = {key: [one for one in times if gap.start <= one < gap.end] for key, times in starts.items()}
        day = gap.start.astimezone(clinic.zone).date()
        return [
            one
            for one in self.waiting
            if one.entry.therapist_id in (None, therapist.pk)
            and one.wishes.first_on - DAY <= day <= one.wishes.last_on + DAY  # their own zone may be a day off
            and any(one.suits(start, clinic) for start in inside.get(one.entry.service_id, ()))
        ]


def read_wait_list(*, now: datetime, clinic: Clinic) -> WaitList:
    """Read the entries and the therapists of their services. Two queries, one if no one waits."""
    today = now.astimezone(clinic.zone).date()
    entries = WaitListEntry.objects.unexpired(now=now, today=today).with_next_visit(now).select_related("service")
    rows = entries.annotate(patient_name=F("patient__name")).order_by("created_at", "pk")
    waiting = [Waiting(row, row.patient_name, wishes_of(row, clinic=clinic)) for row in rows]
    therapists: dict[UUID, set[UUID]] = defaultdict(set)
    if waiting:
        services = {one.entry.service_id for one in waiting}
        pairs = Service.therapists.through.objects.filter(service__in=services)
        for service_id, therapist_id in pairs.values_list("service_id", "therapist_id"):
            therapists[service_id].add(therapist_id)
    return WaitList(waiting, therapists)
