"""Visits and holds, and their history."""

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

from booking.models.service import Service, Terms
from booking.models.visit_modes import MODE_CHOICES, MODES, VisitMode
from booking.models.visit_states import Marks, Outcome, State, outcome_of, state_of
from booking.time.intervals import Interval, VisitShape
from clinic.outbox.models import Channel, Message
from clinic.outbox.models import State as MessageState
from clinic.practice.models import Patient
from clinic.practice.values.phone import LONGEST_PHONE, PHONE_PATTERN

MINUTE = timedelta(minutes=1)
AT_CLINIC = [mode.name for mode in MODES.values() if mode.is_at_clinic]
# Letters and digits without 0, O, 1, I, L and U, which are easily confused when they are read.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Generate a random reference that can be read out, such as RC-7K3M9Q.

    A unique constraint rejects duplicates.
    """
    return "RC-" + "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(6))


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def blocking(self, interval: Interval, *, now: datetime) -> Self:
        """Booked visits and live holds whose blocked time overlaps `interval`. An expired hold does not block."""
        return self.filter(blocked__overlap=(interval.start, interval.end)).filter(
            Q(status=Appointment.Status.BOOKED) | Q(status=Appointment.Status.HELD, hold_expires_at__gt=now)
        )

    def counting(self, interval: Interval, *, service: Service, now: datetime) -> Self:
        """Visits and live holds of `service` that start in `interval` and count against its caps.

        Completed visits and no-shows count too.
        """
        return self.filter(service=service, starts_at__gte=interval.start, starts_at__lt=interval.end).exclude(
            Q(status=Appointment.Status.CANCELLED) | Q(status=Appointment.Status.HELD, hold_expires_at__lte=now)
        )

    def booked_or_completed(self) -> Self:
        """Booked and completed visits; no holds, canceled visits or no-shows."""
        return self.filter(status__in=(Appointment.Status.BOOKED, Appointment.Status.COMPLETED))

    def with_outcome(self, *outcomes: Outcome, now: datetime) -> Self:
        """Rows whose `outcome_at(now)` is one of `outcomes`.

        Check constraints ensure that only booked and completed visits have an arrival.
        """
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

    def with_has_been_here(self, *, now: datetime) -> Self:
        """Annotate `has_been_here`: whether the patient has an earlier visit that they came to or that is not over yet.

        An earlier visit that is over and unmarked does not count, because the patient may not have come.
        """
        earlier = Appointment.objects.with_outcome(Outcome.CAME, Outcome.OPEN, now=now)
        earlier = earlier.filter(patient=OuterRef("patient"), starts_at__lt=OuterRef("starts_at"))
        return self.annotate(has_been_here=Exists(earlier))

    def with_was_texted(self) -> Self:
        """Annotate `was_texted`: whether a text about the current version of the visit was sent."""
        sent = Message.objects.filter(channel=Channel.SMS, state=MessageState.SENT)
        return self.annotate(was_texted=Exists(sent.filter(subject_id=OuterRef("pk"), version=OuterRef("version"))))

    def with_names(self) -> Self:
        """Annotate `patient_name` and `service_name`, and `step`: minutes between start times of the service.

        No patient is loaded; a page that shows the names notes the patients for the audit log.
        """
        return self.annotate(
            patient_name=F("patient__name"), service_name=F("service__name"), step=F("service__start_step_minutes")
        )

    def booked_within(self, interval: Interval) -> Self:
        """Booked visits that overlap `interval`, without buffers."""
        return self.filter(status=Appointment.Status.BOOKED, starts_at__lt=interval.end, ends_at__gt=interval.start)


class LateFee(models.TextChoices):
    """What staff decided about the late fee of a no-show or a late cancellation. No bill is sent."""

    CHARGED = "charged", "charged"
    WAIVED = "waived", "waived"


class Appointment(Terms):
    """A visit, or a hold on a time while a visitor fills in the form.

    Its terms are copied from the service when the time is held, or when it is booked without a hold.
    """

    class Status(models.TextChoices):
        HELD = "held", "held"
        BOOKED = "booked", "booked"
        CANCELLED = "cancelled", "canceled"
        COMPLETED = "completed", "completed"
        NO_SHOW = "no_show", "no-show"

    price_cents = models.PositiveIntegerField("price", db_default=0)
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(
        max_length=12,
        unique=True,
        default=new_reference,
        editable=False,
        help_text="The code that the patient can read out on the phone.",
    )
    therapist = models.ForeignKey("practice.Therapist", on_delete=models.PROTECT, related_name="appointments")
    patient = models.ForeignKey("practice.Patient", on_delete=models.PROTECT, null=True, related_name="appointments")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="appointments")
    mode = models.CharField(max_length=10, choices=MODE_CHOICES)
    starts_at = models.DateTimeField("starts")
    ends_at = models.DateTimeField("ends")
    blocked = DateTimeRangeField(
        default_bounds="[)",
        help_text="The visit with its buffers. No other visit can overlap it.",
    )
    status = models.CharField(max_length=10, choices=Status.choices)
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    idempotency_key = models.UUIDField(unique=True, help_text="From the form: the same form books once.")
    sequence = models.PositiveSmallIntegerField(
        "calendar version", default=0, help_text="Rises with each change that calendars must show."
    )
    version = models.PositiveSmallIntegerField(
        default=1,
        help_text="Rises when the visit changes. Messages about an older version are not sent.",
    )
    visitor_time_zone = models.CharField(
        "patient's time zone", max_length=64, blank=True, help_text="Empty: the clinic's."
    )
    other_phone = models.CharField(
        max_length=LONGEST_PHONE,
        blank=True,
        help_text="The number given with this booking, if it differs from the patient’s. Not confirmed.",
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
        help_text="Who booked for a patient under 18. Empty if the patient booked.",
    )
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True)
    not_coming_at = models.DateTimeField(
        "cannot come", null=True, blank=True, help_text="When the patient told us, too late to cancel online."
    )
    here_at = models.DateTimeField(
        "said “I’m here”", null=True, blank=True, help_text="When the patient said so on the page of the visit."
    )
    arrived_at = models.DateTimeField("arrived", null=True, blank=True)
    started_at = models.DateTimeField("began", null=True, blank=True)
    finished_at = models.DateTimeField("done", null=True, blank=True)
    late_fee = models.CharField(
        "decision on the late fee",
        max_length=7,
        choices=LateFee.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Of a no-show or a late cancellation. Empty: not decided, or none was agreed.",
    )
    cancelled_at = models.DateTimeField("canceled", null=True, blank=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="canceled by",
        help_text="The staff member. Empty: the patient.",
    )
    off_schedule_accepted = ArrayField(
        models.CharField(max_length=10),
        default=list,
        db_default=[],
        blank=True,
        editable=False,
        help_text="The reasons outside the schedule that staff have accepted for this visit.",
    )
    created_at = models.DateTimeField()
    has_been_here: bool  # set only by `with_has_been_here`
    was_texted: bool  # set only by `with_was_texted`
    patient_name: str  # this and the next two are set only by `with_names`
    service_name: str
    step: int

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at",)
        verbose_name = "visit"
        permissions = [("view_source_article", "Can view the article that a patient came from")]
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
            # Deferrable, so that two visits can swap times in one transaction; immediate by default.
            ExclusionConstraint(
                name="appointment_no_double_booking",
                expressions=[("therapist", RangeOperators.EQUAL), ("blocked", RangeOperators.OVERLAPS)],
                condition=Q(status__in=["held", "booked"]),
                deferrable=Deferrable.IMMEDIATE,
                violation_error_message="Another visit overlaps this time.",
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
                name="appointment_started_and_finished_have_arrived",
                condition=Q(arrived_at__isnull=False) | Q(started_at__isnull=True, finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="appointment_marks_are_in_order",
                condition=(Q(started_at__isnull=True) | Q(started_at__gte=F("arrived_at")))
                & (Q(finished_at__isnull=True) | Q(finished_at__gte=F("arrived_at")))
                & (Q(finished_at__isnull=True) | Q(started_at__isnull=True) | Q(finished_at__gte=F("started_at"))),
            ),
            models.CheckConstraint(
                name="appointment_here_is_at_the_clinic",
                condition=Q(here_at__isnull=True) | Q(mode__in=AT_CLINIC) & ~Q(status__in=["held", "cancelled"]),
            ),
            models.CheckConstraint(
                name="appointment_late_fee_is_known", condition=Q(late_fee__in=["", "charged", "waived"])
            ),
            models.CheckConstraint(
                name="appointment_late_fee_was_agreed_and_is_due",
                condition=Q(late_fee="") | Q(status__in=["cancelled", "no_show"], late_fee_cents__gt=0),
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
        """The number for a visit by phone: the one given at booking, else the patient's.

        Empty for the other modes and for a hold.
        """
        if not self.visit_mode.needs_number or self.patient is None:
            return ""
        return self.other_phone or self.patient.phone

    @property
    def is_to_be_confirmed_by_phone(self) -> bool:
        """Whether staff should ask by phone whether the patient will come.

        The visit is booked, neither confirmed nor marked as arrived, and the patient has no email address and was sent
        no text about the current version. Needs `with_was_texted`.
        """
        is_open = self.state == State.BOOKED and self.confirmed_at is None
        return is_open and self.patient is not None and not self.patient.email and not self.was_texted

    @property
    def interval(self) -> Interval:
        """The visit without buffers."""
        return Interval(self.starts_at, self.ends_at)

    @property
    def minutes(self) -> int:
        """The agreed length of the visit, without buffers."""
        return (self.ends_at - self.starts_at) // MINUTE

    def is_ahead(self, now: datetime) -> bool:
        """Whether the visit is booked and has not begun at `now`, neither by its time nor early."""
        has_begun = now >= self.starts_at or self.started_at is not None or self.finished_at is not None
        return self.status == Appointment.Status.BOOKED and not has_begun

    def shape_of(self, service: Service) -> VisitShape:
        """Return the agreed length and buffers, with the current step between start times of `service`."""
        return VisitShape(
            minutes=self.minutes,
            step=service.start_step_minutes,
            prepare=(self.starts_at - self.blocked.lower) // MINUTE,
            turnover=(self.blocked.upper - self.ends_at) // MINUTE,
        )

    @property
    def marks(self) -> Marks:
        """The marks of staff, for `booking.models.visit_states`."""
        return Marks(self.arrived_at, self.started_at, self.finished_at)

    @property
    def state(self) -> State:
        """The state for `booking.models.visit_states.TABLE`."""
        return state_of(self.status, self.marks)

    @property
    def waiting_since(self) -> datetime | None:
        """The instant since which the patient waits at the clinic: their own "I'm here" or the arrival, if earlier.

        None if they have not come, or have begun with the therapist.
        """
        if self.state not in (State.BOOKED, State.ARRIVED) or not self.visit_mode.is_at_clinic:
            return None
        return min(filter(None, (self.here_at, self.arrived_at)), default=None)

    @property
    def shown(self) -> str:
        """The version, the latest mark and the late fee, by which staff's forms detect a stale page.

        Marks and fees do not change the version. An arrived visit and one in progress become completed by the passing
        of time alone, so that does not count. What the patient says ("I'm here") does not either: it takes no button
        of staff away.
        """
        mark = state_of(Appointment.Status.BOOKED, self.marks) if self.arrived_at else State(self.status)
        return ":".join(filter(None, (str(self.version), mark.value, self.late_fee)))

    def outcome_at(self, now: datetime) -> Outcome:
        """Return whether the patient came, as far as is known at `now`.

        `with_outcome` filters rows by the same rule.
        """
        return outcome_of(self.state, is_over=self.ends_at <= now)
