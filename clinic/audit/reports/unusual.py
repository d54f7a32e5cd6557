"""Reads by staff that an auditor should look at, each with the reason. Listed is not accused."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, DateTimeField, Func, Min

from clinic.audit.models import AccessEvent, Action
from clinic.audit.reports.sources import find_after_hours, find_own_records

LOOKED_BACK = timedelta(days=30)
MOST_SHOWN = 200

# Patients whose own pages one member of staff opened within one clock hour. A therapist sees about ten patients a day,
# and a call at the front desk takes minutes: more than this is more than the work of an hour.
MANY_OPENED = 30
# Patients shown within one clock hour, lists included. A list has 100 a page, so this is more than three full pages.
MANY_SHOWN = 300

BY_HOUR = """
SELECT actor_id, date_trunc('hour', at) AS hour,
       count(DISTINCT patient) FILTER (WHERE object_id <> '') AS opened, count(DISTINCT patient) AS shown
FROM audit_accessevent, unnest(patient_ids) AS patient
WHERE action = %s AND actor_id IS NOT NULL AND at > %s
GROUP BY actor_id, hour
HAVING count(DISTINCT patient) FILTER (WHERE object_id <> '') > %s OR count(DISTINCT patient) > %s
"""


@dataclass(frozen=True)
class Unusual:
    """A reason to look at the reads of `actor` from `at` on."""

    actor_id: UUID
    name: str
    at: datetime
    why: str


def find_unusual(*, zone: tzinfo, now: datetime) -> list[Unusual]:
    """Return the unusual reads by staff within LOOKED_BACK, newest first, at most MOST_SHOWN.

    Days are those of `zone`, the clinic's. A constant number of queries.
    """
    since = now - LOOKED_BACK
    found = [*_many_in_an_hour(since), *_own_records(since), *_after_hours(since, zone)]
    names = dict(get_user_model()._default_manager.values_list("pk", "name"))
    newest = sorted(found, key=lambda one: one[1], reverse=True)[:MOST_SHOWN]
    return [Unusual(actor_id, names.get(actor_id, ""), at, why) for actor_id, at, why in newest]


def _many_in_an_hour(since: datetime) -> list[tuple[UUID, datetime, str]]:
    with connection.cursor() as cursor:
        cursor.execute(BY_HOUR, [Action.READ, since, MANY_OPENED, MANY_SHOWN])
        rows = cursor.fetchall()
    return [
        (
            actor_id,
            hour,
            f"opened the pages of {opened} patients within one hour (more than {MANY_OPENED})"
            if opened > MANY_OPENED
            else f"was shown {shown} patients within one hour (more than {MANY_SHOWN})",
        )
        for actor_id, hour, opened, shown in rows
    ]


def _own_records(since: datetime) -> list[tuple[UUID, datetime, str]]:
    """Return one entry for each member of staff who opened a patient with their own name or address."""
    owned = find_own_records(list(get_user_model()._default_manager.values_list("pk", flat=True)))
    pairs = [(user_id, patient_id) for user_id, patients in owned.items() for patient_id in patients]
    if not pairs:
        return []
    opened = AccessEvent.objects.filter(
        at__gt=since, actor_id__in=owned, patient_ids__overlap=[patient_id for _, patient_id in pairs]
    ).exclude(object_id="")
    last: dict[UUID, datetime] = {}
    for actor_id, patient_ids, at in opened.order_by("at").values_list("actor_id", "patient_ids", "at"):
        if actor_id is not None and owned[actor_id] & set(patient_ids):
            last[actor_id] = at
    return [(actor_id, at, "opened a patient with their own name or email address") for actor_id, at in last.items()]


def _after_hours(since: datetime, zone: tzinfo) -> list[tuple[UUID, datetime, str]]:
    """Return one entry for each member of staff and day with reads outside opening hours.

    Reads are counted in stretches of ten minutes, which keeps their number small.
    """
    ten_minutes = "date_bin('10 minutes', %(expressions)s, TIMESTAMPTZ '2000-01-01 00:00:00+00')"
    stretch = Func("at", template=ten_minutes, output_field=DateTimeField())
    reads = AccessEvent.objects.filter(at__gt=since, action=Action.READ, actor__isnull=False).order_by()
    rows = list(reads.values("actor_id").annotate(stretch=stretch, first=Min("at"), pages=Count("pk")))
    late = find_after_hours([row["first"] for row in rows])
    found: dict[tuple[UUID, object], tuple[datetime, int]] = {}
    for row in sorted((row for row in rows if row["first"] in late), key=lambda row: row["first"]):
        key = (row["actor_id"], row["first"].astimezone(zone).date())
        first, pages = found.get(key, (row["first"], 0))
        found[key] = first, pages + row["pages"]
    return [
        (actor_id, first, f"opened {pages} {'page' if pages == 1 else 'pages'} of patients outside opening hours")
        for (actor_id, _), (first, pages) in found.items()
    ]
