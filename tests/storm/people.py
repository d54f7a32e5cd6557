"""The visits of the storm: booked, moved and cancelled while it rages, and what their readers got in the end."""

import random
import time
import uuid
from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import Error as DatabaseFault
from django.db import connection, transaction
from psycopg.types.range import TimestamptzRange

from booking.changes import cancel_appointment
from booking.message_words import BOOKED, CANCELLED, REMINDER_2H
from booking.models import Appointment, Service
from booking.reminders import plan_visit_messages
from booking.wording import near_day_words
from clinic.outbox import messages
from clinic.outbox.messages import withdraw_messages
from clinic.outbox.models import Message, State
from clinic.outbox.quiet_hours import QuietHours, is_quiet
from clinic.practice.models import Clinic, Patient, Therapist
from tests.storm.clock import BEGINNING, FACTOR, storm_time
from tests.storm.post import weather_of

ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Australia/Sydney", "")
SLOT, SLOTS = timedelta(minutes=30), 29
UNDER_WAY_S = 0.25  # from the last look at the visit until the mail server hears of the message


class People:
    """`changes` holds, by (visit, version), the real instant at which that version was over and done with."""

    def __init__(self, *, visits: int):
        messages.wake_sweep = lambda: None  # here only beats wake the workers
        self.clinic = Clinic.objects.create(name="Storm Clinic", phone="+16035550100", change_window_hours=0)
        self.changes, self.random = {}, random.Random(4)
        self.service = Service.objects.create(
            slug="call", name="Call", summary="A call.", minutes=15, start_step_minutes=15, price_cents=0, by_phone=True
        )
        slots = [BEGINNING + timedelta(hours=4) + SLOT * number for number in range(SLOTS)]
        for number in range(-(-visits // len(slots))):
            therapist = Therapist.objects.create(name=f"Therapist {number}", slug=f"t{number}")
            with transaction.atomic():
                for starts_at in slots[: max(0, visits - number * len(slots))]:
                    self._book(therapist, starts_at)
        self.visits = list(Appointment.objects.values_list("pk", flat=True))
        self.random.shuffle(self.visits)

    def _book(self, therapist, starts_at):
        zone, name = self.random.choice(ZONES), uuid.uuid4().hex
        patient = Patient.objects.create(
            name=name, email=f"{name}@example.com", time_zone=zone, created_at=BEGINNING - timedelta(days=1)
        )
        ends_at = starts_at + timedelta(minutes=15)
        visit = Appointment.objects.create(
            therapist=therapist,
            patient=patient,
            service=self.service,
            mode="phone",
            starts_at=starts_at,
            ends_at=ends_at,
            blocked=TimestamptzRange(starts_at, ends_at),
            status="booked",
            idempotency_key=uuid.uuid4(),
            visitor_time_zone=zone,
            created_at=BEGINNING,
        )
        booked_at = starts_at - timedelta(hours=self.random.uniform(3, 10))
        plan_visit_messages(visit, clinic=self.clinic, now=max(booked_at, BEGINNING))

    def change_somebody(self):
        """Cancel or move a visit that lies ahead; a database that is away is asked again later."""
        try:
            visit = Appointment.objects.select_related("patient", "service").get(pk=self.visits.pop())
            if visit.starts_at <= storm_time():
                return
            before = visit.version
            if len(self.visits) % 2:
                cancel_appointment(appointment=visit, now=storm_time())
            else:
                self._move(visit)
            self.changes[(visit.pk, before)] = time.time()
        except DatabaseFault:
            connection.close()

    def _move(self, visit):
        """A quarter of an hour later, into the gap after it."""
        with transaction.atomic():
            visit = Appointment.objects.select_for_update(of=("self",)).get(pk=visit.pk)
            visit.starts_at += timedelta(minutes=15)
            visit.ends_at += timedelta(minutes=15)
            visit.blocked = TimestamptzRange(visit.starts_at, visit.ends_at)
            visit.version += 1
            visit.save()
            now = storm_time()
            withdraw_messages(subject_id=visit.pk, reason="the visit was moved", now=now)
            plan_visit_messages(visit, clinic=self.clinic, now=now)

    def count_open(self) -> int:
        try:
            return self._due().exclude(state__in=messages.SETTLED).count()
        except DatabaseFault:
            connection.close()
            return 1

    def _due(self):
        """What the storm was about; what follows a visit comes after it."""
        return Message.objects.filter(kind__in=(BOOKED, CANCELLED, REMINDER_2H))

    def report(self, office, faults) -> dict:
        rows = {row.message_id: row for row in self._due().select_related("patient")}
        visits = {visit.pk: visit for visit in Appointment.objects.all()}
        copies = Counter(copy.message_id for copy in office.copies)
        lost = [
            mid
            for mid, row in rows.items()
            if row.state not in messages.SETTLED or (row.state == State.SENT and not copies[mid])
        ]
        judged = [(copy, rows[copy.message_id], visits[rows[copy.message_id].subject_id]) for copy in office.copies]
        return {
            "messages": len(rows),
            "states": Counter(row.state for row in rows.values()),
            "skipped": Counter(row.reason for row in rows.values() if row.state == State.SKIPPED),
            "failed": Counter(row.reason for row in rows.values() if row.state == State.FAILED),
            "faults": Counter(what for _, what in faults),
            "moods": office.moods,
            "changed_visits": len(self.changes),
            "lost": lost,
            "out_of_time": sum(1 for mid, row in rows.items() if ran_out_of_time(mid, row)),
            "duplicates": sum(count - 1 for count in copies.values()),
            "unexplained_duplicates": unexplained(office.copies, faults),
            "after_a_change": [copy.message_id for copy, row, _ in judged if self._came_after_change(copy, row)],
            "after_the_visit": [c.message_id for c, row, visit in judged if came_late(c, row, visit)],
            "in_quiet_hours": [copy.message_id for copy, row, _ in judged if self._came_in_quiet_hours(copy, row)],
            "wrong_day": [copy.subject for copy, row, visit in judged if self._says_wrong_day(copy, row, visit)],
        }

    def _came_after_change(self, copy, row) -> bool:
        changed_at = self.changes.get((row.subject_id, row.version))
        return changed_at is not None and copy.began_at > changed_at + UNDER_WAY_S

    def _zone(self, row):
        return ZoneInfo(row.patient.time_zone) if row.patient.time_zone else self.clinic.zone

    def _came_in_quiet_hours(self, copy, row) -> bool:
        if row.kind != REMINDER_2H:
            return False
        hours = QuietHours(self.clinic.quiet_from, self.clinic.quiet_until, self._zone(row))
        return all(is_quiet(instant, hours) for instant in _around(copy))

    def _says_wrong_day(self, copy, row, visit) -> bool:
        if row.kind != REMINDER_2H or row.version != visit.version:
            return False
        words = {near_day_words(visit.starts_at, now=instant, zone=self._zone(row)) for instant in _around(copy)}
        return not any(f"Your visit {word}," in copy.subject for word in words)


def _around(copy):
    """When the words were made: just before the conversation about them began."""
    return storm_time(copy.began_at), storm_time(copy.began_at - UNDER_WAY_S)


def ran_out_of_time(message_id, row) -> bool:
    """Whether it was tried, or waited, until it would have come too late; staff see that it did not go."""
    if row.state == State.SKIPPED:
        return row.reason in ("too late", "the visit has begun")
    return row.state == State.FAILED and weather_of(message_id) != "refused"


def came_late(copy, row, visit) -> bool:
    """Whether what announces a visit came once it had begun."""
    if row.kind == CANCELLED or row.version != visit.version:
        return False
    return storm_time(copy.began_at) > visit.starts_at + timedelta(seconds=UNDER_WAY_S * FACTOR)


def unexplained(copies, faults) -> list[str]:
    """Message-IDs of copies after which no line was cut, no worker killed, no server away, and yet another copy came."""
    last = {}
    found = []
    for copy in sorted(copies, key=lambda one: one.taken_at):
        earlier = last.get(copy.message_id)
        last[copy.message_id] = copy
        if earlier is None or earlier.was_dropped:
            continue
        if not any(-0.5 <= at - earlier.taken_at <= 3 for at, _ in faults):
            found.append(copy.message_id)
    return found
