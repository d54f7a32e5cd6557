"""Who comes when, and what happened to it."""

import secrets
import uuid
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Deferrable, Exists, F, OuterRef, Q

from booking.models.service import PRICE_HELP, Service, Terms
from booking.models.visit_modes import MODE_CHOICES, MODES, VisitMode
from booking.models.visit_states import Outcome, State, outcome_of, state_of
from booking.time.intervals import Interval, VisitShape
from clinic.outbox.models import Channel, Message
from clinic.outbox.models import State as MessageState
from clinic.practice.models import Patient
from clinic.practice.values.phone import LONGEST_PHONE, PHONE_PATTERN

MINUTE = timedelta(minutes=1)
# Letters and digits that are not taken for one another, on paper or on the phone.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A name for a visit that can be read out, such as RC-7K3M9Q. Random, so it tells nothing; unique by constraint."""
    return "RC-" + "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(6))


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def blocking(self, interval: Interval, *, now: datetime) -> Self:
        """Visits and live holds whose blocked time touches `interval`. An expired hold blocks nobody."""
        return self.filter(blocked__overlap=(interval.start, interval.end)).filter(
            Q(status=Appointment.Status.BOOKED) | Q(status=Appointment.Status.HELD, hold_expires_at__gt=now)
        )

    def counting(self, interval: Interval, *, service: Service, now: datetime) -> Self:
        """Everything of `service` that starts in `interval` and counts against its caps, whoever came or did not."""
        return self.filter(service=service, starts_at__gte=interval.start, starts_at__lt=interval.end).exclude(
            Q(status=Appointment.Status.CANCELLED) | Q(status=Appointment.Status.HELD, hold_expires_at__lte=now)
        )

    def standing(self) -> Self:
        """Visits that were neither cancelled nor missed."""
        return self.filter(status__in=(Appointment.Status.BOOKED, Appointment.Status.COMPLETED))

    def with_outcome(self, *outcomes: Outcome, now: datetime) -> Self:
        """Rows whose `outcome_at(now)` is one of `outcomes`. That an arrival is of a visit which is booked or completed is
        left to constraints."""
        status, marked = Appointment.Status, Q(arrived_at__isnull=False)
        unmarked = Q(status=status.BOOKED, arrived_at__isnull=True)
        rows = {
            Outcome.OPEN: Q(status=status.HELD) | unmarked & Q(ends_at__gt=now),
            Outcome.CAME: marked,
            Outcome.UNMARKED: unmarked & Q(ends_at__lte=now),
            Outcome.MISSED: Q(status=status.NO_SHOW),
            Outcome.CANCELLED: Q(status=status.CANCELLED),
        }
        return self.filter(reduce(or_, (rows[outcome] for outcome in outcomes)))

    def knowing_who_is_new(self, *, now: datetime) -> Self:
        """Annotate `has_been_here`: whether the patient came to an earlier visit, or has one ahead before this.

        A visit that is over and unmarked does not count: the patient may not have come.
        """
        earlier = Appointment.objects.with_outcome(Outcome.CAME, Outcome.OPEN, now=now)
        earlier = earlier.filter(patient=OuterRef("patient"), starts_at__lt=OuterRef("starts_at"))
        return self.annotate(has_been_here=Exists(earlier))

    def knowing_who_was_texted(self) -> Self:
        """With `was_texted`: whether a text about the visit as it is now has gone to the patient."""
        sent = Message.objects.filter(channel=Channel.SMS, state=MessageState.SENT)
        return self.annotate(was_texted=Exists(sent.filter(subject_id=OuterRef("pk"), version=OuterRef("version"))))

    def booked_within(self, interval: Interval) -> Self:
        """Visits that stand and share an instant with `interval`, buffers left out."""
        return self.filter(status=Appointment.Status.BOOKED, starts_at__lt=interval.end, ends_at__gt=interval.start)


class Appointment(Terms):
    """One visit, or one time held for somebody who is still typing. Its terms are those that were agreed."""

    class Status(models.TextChoices):
        HELD = "held", "held"
        BOOKED = "booked", "booked"
        CANCELLED = "cancelled", "cancelled"
        COMPLETED = "completed", "completed"
        NO_SHOW = "no_show", "no-show"

    price_cents = models.PositiveIntegerField("price (cents)", db_default=0, help_text=PRICE_HELP)
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(
        max_length=12, unique=True, default=new_reference, editable=False, help_text="What to read out on the phone."
    )
    therapist = models.ForeignKey("practice.Therapist", on_delete=models.PROTECT, related_name="appointments")
    patient = models.ForeignKey("practice.Patient", on_delete=models.PROTECT, null=True, related_name="appointments")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="appointments")
    mode = models.CharField(max_length=10, choices=MODE_CHOICES)
    starts_at = models.DateTimeField("starts")
    ends_at = models.DateTimeField("ends")
    blocked = DateTimeRangeField(
        default_bounds="[)",
        help_text="The visit with its minutes to prepare and to turn over: no other visit overlaps it.",
    )
    status = models.CharField(max_length=10, choices=Status.choices)
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.UUIDField(unique=True, help_text="From the form that was sent: the same form books once.")
    sequence = models.PositiveSmallIntegerField(
        default=0, help_text="iCalendar's count of changes calendars must follow."
    )
    version = models.PositiveSmallIntegerField(
        default=1,
        help_text="Rises when the time changes or the visit is cancelled; messages about an older one are not sent.",
    )
    visitor_time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name; empty for the clinic's.")
    other_phone = models.CharField(
        max_length=LONGEST_PHONE,
        blank=True,
        help_text="The number given with this booking, where the patient’s own is another; nobody vouched for it.",
    )
    source_article = models.ForeignKey(
        "education.Article", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    intake = models.OneToOneField(
        "assessments.Response", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    guardian_name = models.CharField(
        "parent or guardian",
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="Who booked for a patient under 18; empty where the patient booked.",
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    not_coming_at = models.DateTimeField(
        "cannot come", null=True, blank=True, help_text="When the patient said so, too late to cancel online."
    )
    arrived_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who of the staff; empty when the patient did.",
    )
    off_schedule_accepted = ArrayField(
        models.CharField(max_length=10),
        default=list,
        db_default=[],
        blank=True,
        editable=False,
        help_text="Why the schedule would not offer this visit, as far as staff have said that it may stand.",
    )
    created_at = models.DateTimeField()
    has_been_here: bool  # only by `knowing_who_is_new`
    was_texted: bool  # only by `knowing_who_was_texted`

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at",)
        verbose_name = "visit"
        indexes = [
            models.Index(fields=["starts_at"], name="appointment_by_start"),
            models.Index(fields=["therapist", "starts_at"], name="appointment_by_therapist_start"),
            models.Index(
                fields=["ends_at"],
                name="appointment_to_complete",
                condition=Q(status="booked", arrived_at__isnull=False),
            ),
        ]
        constraints = [
            # Deferrable so that two visits can swap places in one transaction; immediate unless asked otherwise.
            ExclusionConstraint(
                name="appointment_no_double_booking",
                expressions=[("therapist", RangeOperators.EQUAL), ("blocked", RangeOperators.OVERLAPS)],
                condition=Q(status__in=["held", "booked"]),
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="Another visit lies in this time.",
            ),
            models.CheckConstraint(name="appointment_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="appointment_blocks_its_own_time",
                condition=Q(blocked__startswith__lte=F("starts_at"), blocked__endswith__gte=F("ends_at")),
            ),
            models.CheckConstraint(
                name="appointment_status_is_known",
                condition=Q(status__in=["held", "booked", "cancelled", "completed", "no_show"]),
            ),
            models.CheckConstraint(name="appointment_mode_is_known", condition=Q(mode__in=list(MODES))),
            models.CheckConstraint(
                name="appointment_has_a_patient_unless_held", condition=Q(status="held") | Q(patient__isnull=False)
            ),
            models.CheckConstraint(
                name="appointment_hold_expires_and_nothing_else_does",
                condition=Q(status="held", hold_expires_at__isnull=False)
                | (~Q(status="held") & Q(hold_expires_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="appointment_is_cancelled_at_an_instant",
                condition=Q(status="cancelled", cancelled_at__isnull=False)
                | (~Q(status="cancelled") & Q(cancelled_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="appointment_no_show_has_not_arrived", condition=~Q(status="no_show", arrived_at__isnull=False)
            ),
            models.CheckConstraint(
                name="appointment_completed_has_arrived", condition=~Q(status="completed", arrived_at__isnull=True)
            ),
            models.CheckConstraint(
                name="appointment_arrived_is_not_held_nor_cancelled",
                condition=~Q(status__in=["held", "cancelled"], arrived_at__isnull=False),
            ),
            models.CheckConstraint(
                name="appointment_other_phone_is_e164",
                condition=Q(other_phone="") | Q(other_phone__regex=PHONE_PATTERN),
            ),
            models.CheckConstraint(name="appointment_versions_count_from_one", condition=Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def visit_mode(self) -> VisitMode:
        """How therapist and patient meet: its row of `booking.models.visit_modes.MODES`."""
        return MODES[self.mode]

    @property
    def booked_patient(self) -> Patient:
        """The patient of a visit. Raises ValueError for a hold, which has none."""
        if self.patient is None:
            raise ValueError("a hold has no patient")
        return self.patient

    @property
    def number_to_call(self) -> str:
        """Of a visit by phone: the number that came with its booking, or else the patient's; empty for any other visit."""
        if not self.visit_mode.needs_number or self.patient is None:
            return ""
        return self.other_phone or self.patient.phone

    @property
    def is_to_be_confirmed_by_phone(self) -> bool:
        """Whether it is booked for a patient whom neither mail nor a text has reached, and not confirmed yet. For rows that
        `knowing_who_was_texted` has annotated."""
        is_open = self.state == State.BOOKED and self.confirmed_at is None
        return is_open and self.patient is not None and not self.patient.email and not self.was_texted

    @property
    def interval(self) -> Interval:
        """What the patient sees of it."""
        return Interval(self.starts_at, self.ends_at)

    @property
    def minutes(self) -> int:
        """How long the visit is for the patient, as agreed."""
        return (self.ends_at - self.starts_at) // MINUTE

    def shape_of(self, service: Service) -> VisitShape:
        """The length and the buffers that were agreed, on the start times that `service` has today."""
        return VisitShape(
            minutes=self.minutes,
            step=service.start_step_minutes,
            prepare=(self.starts_at - self.blocked.lower) // MINUTE,
            turnover=(self.blocked.upper - self.ends_at) // MINUTE,
        )

    @property
    def state(self) -> State:
        """Its row of `booking.models.visit_states.TABLE`."""
        return state_of(self.status, has_arrived=self.arrived_at is not None)

    @property
    def shown(self) -> str:
        """What staff's forms carry of the visit as their page shows it: a mark changes its state and not its version.

        Arrived and completed are one: only time lies between them.
        """
        mark = State.ARRIVED if self.state == State.COMPLETED else self.state
        return f"{self.version}:{mark.value}"

    def outcome_at(self, now: datetime) -> Outcome:
        """Whether the patient came, as far as is known at `now`; `with_outcome` finds the rows."""
        return outcome_of(self.state, is_over=self.ends_at <= now)


class AppointmentEvent(models.Model):
    """One thing that happened to a visit. Written by the domain functions, never changed."""

    class Kind(models.TextChoices):
        BOOKED = "booked", "booked"
        CONFIRMED = "confirmed", "confirmed"
        CANCELLED = "cancelled", "cancelled"
        RESTORED = "restored", "cancelling undone"
        MOVED = "moved", "moved"
        ARRIVED = "arrived", "arrived"
        ARRIVAL_UNDONE = "arrived_undo", "arrival undone"
        NO_SHOW = "no_show", "did not come"
        NO_SHOW_UNDONE = "no_show_undo", "no-show undone"
        ADDRESS_CORRECTED = "address", "address corrected"
        NOT_COMING = "not_coming", "said they cannot come"
        OFF_SCHEDULE = "off_schedule", "kept, though outside the schedule"

    id = models.BigAutoField(primary_key=True)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who of the staff; empty when the patient did.",
    )
    starts_at = models.DateTimeField(help_text="When the visit was to start, as things stood then.")
    version = models.PositiveSmallIntegerField(
        null=True, help_text="The visit's version after this; null in rows from before it was recorded."
    )
    therapist = models.ForeignKey("practice.Therapist", on_delete=models.PROTECT, null=True, related_name="+")
    mode = models.CharField(max_length=10, blank=True, default="", db_default="", choices=MODE_CHOICES)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return self.get_kind_display()
