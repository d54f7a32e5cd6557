"""The visits of the storm: booked before it, then moved, cancelled and restored during it, as patients and staff do."""

import random
import time
import uuid
from collections import Counter
from datetime import UTC, timedelta

from django.db import Error as DatabaseFault
from django.db import connection, transaction
from psycopg.types.range import TimestamptzRange

from booking.actions.change import cancel_appointment, move_appointment, undo_cancellation
from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.names import BOOKED, CANCELLED, MOVED
from booking.messages.planning import plan_visit_messages
from booking.models import Appointment, OpeningHours
from booking.schedule.errors import BookingRefused
from clinic.outbox.messages import planning
from clinic.outbox.models import SETTLED, Message, State
from clinic.practice.models import Therapist
from tests.factories import CallFactory, ClinicFactory, PatientFactory, TherapistFactory, UserFactory
from tests.storm.clock import BEGINNING, HOURS, storm_time
from tests.world import EVERY_RULE

ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Australia/Sydney", "")
STEP, SLOT = timedelta(minutes=15), timedelta(minutes=30)
FIRST = BEGINNING + timedelta(hours=4)
SLOTS = int((HOURS - 4.5) * 2)
CHANGES = ("moved by the patient", "moved by staff", "cancelled", "cancelled", "regretted")


def storm_messages():
    """Return the messages that the storm checks. Messages that follow a visit are due only after the storm."""
    return Message.objects.filter(kind__in=(BOOKED, MOVED, CANCELLED, REMINDER_2H))


class People:
    """`changes` is {(visit key, version): real timestamp at which that version was replaced}."""

    def __init__(self, *, visits: int, seed: int):
        self.dice = random.Random(seed)
        self.changes, self.done, self.regretted = {}, Counter(), None
        self.clinic = ClinicFactory(change_window_hours=0, minimum_notice_minutes=0)
        self.front_desk = UserFactory()
        self.service = CallFactory()
        wake, planning.wake_sweep = planning.wake_sweep, lambda: None  # no worker is running yet
        for number in range(-(-visits // SLOTS)):
            therapist = self._hire(number)
            with transaction.atomic():
                for slot in range(min(SLOTS, visits - number * SLOTS)):
                    self._book(therapist, FIRST + SLOT * slot)
        planning.wake_sweep = wake
        self.visits = list(Appointment.objects.order_by("pk").values_list("pk", flat=True))
        self.dice.shuffle(self.visits)

    def _hire(self, number: int) -> Therapist:
        therapist = TherapistFactory()
        self.service.therapists.add(therapist)
        OpeningHours.objects.bulk_create(
            OpeningHours(therapist=therapist, weekday=weekday, opens="00:00", closes="23:59") for weekday in range(7)
        )
        return therapist

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)

    def _book(self, therapist, starts_at):
        """Create a visit booked some hours before, so that its confirmation and reminder come due during the storm."""
        zone, name = self.dice.choice(ZONES), self._uuid().hex
        patient = PatientFactory(name=name, email=f"{name}@example.com", time_zone=zone)
        visit = Appointment.objects.create(
            pk=self._uuid(),
            therapist=therapist,
            patient=patient,
            service=self.service,
            mode="phone",
            starts_at=starts_at,
            ends_at=starts_at + STEP,
            blocked=TimestamptzRange(starts_at, starts_at + STEP),
            status="booked",
            idempotency_key=self._uuid(),
            price_cents=self.service.price_cents,
            visitor_time_zone=zone,
            created_at=BEGINNING,
        )
        booked_at = starts_at - timedelta(hours=self.dice.uniform(3, 10))
        plan_visit_messages(visit, clinic=self.clinic, now=max(booked_at, BEGINNING))

    def change_a_visit(self):
        """Move, cancel or restore a visit. Half the time, choose one with a message that is being sent at this moment.

        A database error is ignored; the next call opens a new connection.
        """
        try:
            visit, what = self.regretted, "restored"
            if visit is None:
                visit, what = self._choose(), self.dice.choice(CHANGES)
            self.regretted = None
            if visit and visit.starts_at > storm_time():
                changed = self._change(visit, what)
                self._note(what, visit.version, changed)
                self.regretted = changed if what == "regretted" else None
        except BookingRefused as refusal:
            self.done[f"refused: {type(refusal).__name__}"] += 1
        except DatabaseFault:
            connection.close()

    def _choose(self) -> Appointment | None:
        under_way = list(Message.objects.filter(state=State.SENDING).values_list("subject_id", flat=True)[:50])
        chosen = self.dice.choice(under_way) if under_way and self.dice.random() < 0.5 else self.visits.pop()
        return Appointment.objects.filter(pk=chosen, status="booked").first()

    def _change(self, visit: Appointment, what: str) -> Appointment:
        now = storm_time()
        if what == "restored":
            return undo_cancellation(appointment=visit, now=now)
        if what in ("cancelled", "regretted"):
            return cancel_appointment(appointment=visit, now=now)
        starts_at = visit.starts_at.astimezone(UTC) + STEP  # into the gap after it
        if what == "moved by staff":
            return move_appointment(
                appointment=visit, starts_at=starts_at, despite_rules=EVERY_RULE, by=self.front_desk, now=now
            )
        return move_appointment(appointment=visit, starts_at=starts_at, now=now)

    def _note(self, what: str, version: int, changed: Appointment):
        if changed.version != version:
            self.changes[(changed.pk, version)] = time.time()
            self.done[what] += 1

    def count_open(self) -> int:
        try:
            return storm_messages().exclude(state__in=SETTLED).count()
        except DatabaseFault:
            connection.close()
            return 1
