"""The wait list and its slot offers."""

import uuid
from datetime import date, datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from booking.models.appointment import Appointment
from booking.models.service import Service
from booking.models.visit_modes import DEFAULT_MODE, MODE_CHOICES, MODES, VisitMode
from booking.time.day_parts import PARTS
from booking.time.intervals import Interval
from clinic.outbox.models import Message, State
from clinic.practice.models import Therapist
from clinic.practice.values.dates import format_date_range, format_utc

DAY = timedelta(days=1)


def _is_stuck() -> Q:
    """Return the condition for entries to which no time can be offered.

    Their service is not listed as bookable online, no active therapist offers it, or the requested therapist is
    inactive or does not offer it. A mode that the service no longer has does not matter, because `offered_mode`
    replaces it.
    """
    doing_it = Therapist.objects.active().filter(services=OuterRef("service"))
    is_theirs_gone = Q(therapist__isnull=False) & ~Exists(doing_it.filter(pk=OuterRef("therapist")))
    return ~Q(service__listing=Service.Listing.BOOKABLE) | ~Exists(doing_it) | is_theirs_gone


class WaitListQuerySet(models.QuerySet["WaitListEntry"]):
    def waiting(self) -> Self:
        """Entries that are still on the list."""
        return self.filter(status=WaitListEntry.Status.WAITING)

    def unexpired(self, *, now: datetime, today: date) -> Self:
        """Waiting entries whose last day is not over and whose visit, if they have one, is booked and upcoming.

        `today` is the date at the clinic. An entry with its own zone is kept for one more day, because `today` may not
        have begun there. Stuck entries are included.
        """
        is_visit_ahead = Q(appointment__status=Appointment.Status.BOOKED, appointment__starts_at__gt=now)
        is_day_ahead = Q(last_on__gte=today) | ~Q(time_zone="") & Q(last_on__gte=today - DAY)
        return self.waiting().filter(Q(appointment=None) | is_visit_ahead, is_day_ahead)

    def stuck(self) -> Self:
        """Entries to which no time can be offered."""
        return self.filter(_is_stuck())

    def with_is_stuck(self) -> Self:
        """Annotate `is_stuck`, by the rule of `stuck`."""
        return self.annotate(is_stuck=_is_stuck())

    def with_next_visit(self, now: datetime) -> Self:
        """Annotate `next_visit_at`: the start of the visit that a taken offer would move; None without one.

        It is the visit of the entry, else the next one of the same service, because patients may book while they wait.
        """
        ahead = Appointment.objects.filter(
            patient=OuterRef("patient"),
            service=OuterRef("service"),
            status=Appointment.Status.BOOKED,
            starts_at__gt=now,
        )
        soonest = Subquery(ahead.order_by("starts_at").values("starts_at")[:1])
        return self.annotate(next_visit_at=Coalesce("appointment__starts_at", soonest))

    def matching_slot(self, starts_at: datetime, *, day: date, therapist: Therapist, now: datetime) -> Self:
        """Waiting entries for which a time freed at `starts_at` with `therapist` may be suitable, oldest entry first.

        `day` is the date of `starts_at` in the clinic's zone. In an entry's own zone it can be the day before or after;
        `Wishes.suit` checks that and the part of the day. Annotates `next_visit_at`.
        """
        is_in_days = Q(first_on__lte=day, last_on__gte=day)
        may_be_in_days = ~Q(time_zone="") & Q(first_on__lte=day + DAY, last_on__gte=day - DAY)
        return (
            self.waiting()
            .filter(is_in_days | may_be_in_days, service__therapists=therapist)
            .filter(Q(therapist=None) | Q(therapist=therapist))
            .filter(Q(appointment=None) | Q(appointment__status=Appointment.Status.BOOKED))
            .with_next_visit(now)
            .filter(Q(next_visit_at=None) | Q(next_visit_at__gt=starts_at))
            .order_by("created_at", "pk")
        )


class WaitListEntry(models.Model):
    """A patient's request for an earlier time for a visit of one service.

    The entry ends when the patient takes an offer, or when the entry is removed from the list.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        SERVED = "served", "has an earlier time"
        LEFT = "left", "left the list"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey("practice.Patient", on_delete=models.PROTECT, related_name="wait_list_entries")
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="wait_list_entries")
    therapist = models.ForeignKey(
        "practice.Therapist",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Only this therapist. Empty: any.",
    )
    appointment = models.ForeignKey(
        Appointment,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="wait_list_entries",
        help_text="The visit they would like earlier. Once served: the visit they took.",
    )
    mode = models.CharField(max_length=10, choices=MODE_CHOICES, default=DEFAULT_MODE)
    part_of_day = models.CharField(
        max_length=12,
        blank=True,
        choices=[(part.slug, part.label) for part in PARTS.values()],
        help_text="Empty: any time.",
    )
    time_zone = models.CharField(
        "time zone",
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of the days and the time of day that the patient asked for. Empty: the clinic's.",
    )
    first_on = models.DateField("from", help_text="The first day that suits.")
    last_on = models.DateField("until", help_text="The last day that suits. After it no more times are offered.")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING, editable=False)
    created_at = models.DateTimeField("since", editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_visit_at: datetime | None  # set only by `with_next_visit`

    is_stuck: bool  # set only by `with_is_stuck`
    offer_count: int  # set only in the admin

    objects = WaitListQuerySet.as_manager()

    class Meta:
        ordering = ("created_at",)
        verbose_name = "wait list entry"
        verbose_name_plural = "wait list entries"
        indexes = [
            models.Index(fields=["service", "last_on"], name="wait_list_by_day", condition=Q(status="waiting")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "service"],
                condition=Q(status="waiting"),
                name="wait_list_holds_a_patient_once_for_a_service",
            ),
            models.CheckConstraint(
                name="wait_list_days_are_in_order",
                condition=Q(last_on__gte=F("first_on")),
                violation_error_message="The last day must not be before the first.",
            ),
            models.CheckConstraint(name="wait_list_mode_is_known", condition=Q(mode__in=list(MODES))),
            models.CheckConstraint(
                name="wait_list_part_of_day_is_known",
                condition=Q(part_of_day__in=["", "before-work", "lunch", "after-work"]),
            ),
            models.CheckConstraint(
                name="wait_list_ends_at_an_instant",
                condition=Q(status="waiting", ended_at__isnull=True)
                | Q(status__in=["served", "left"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="wait_list_serves_with_a_visit", condition=~Q(status="served") | Q(appointment__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        """Return the service and days, without the patient's name, because the text may be logged.

        `booking.admin.wait_list` shows the state.
        """
        return f"{self.service}, {format_date_range(self.first_on, self.last_on)}"

    @property
    def guardian_name(self) -> str:
        """The parent or guardian who booked the visit of the entry; empty without one."""
        return self.appointment.guardian_name if self.appointment else ""

    @property
    def offered_mode(self) -> VisitMode:
        """The mode of an offer to this entry.

        It is the entry's own mode if the entry has a visit or the service still has that mode, else the first mode of
        the service.
        """
        asked, modes = MODES[self.mode], self.service.modes
        return asked if self.appointment_id or asked in modes else modes[0]


class SlotOfferQuerySet(models.QuerySet["SlotOffer"]):
    def of_gaps(self, interval: Interval) -> Self:
        """Offers by staff of times in `interval` that no visit had freed."""
        return self.filter(freed_by=None, starts_at__gte=interval.start, starts_at__lt=interval.end)

    def standing(self) -> Self:
        """Offers that were sent or will be, and not taken."""
        live = Message.objects.filter(subject_id=OuterRef("pk")).exclude(state__in=(State.SKIPPED, State.FAILED))
        return self.filter(Exists(live), taken_at=None)

    def of_day(self, whole_day: Interval) -> Self:
        """Offers of times on a day, with their entries, and with `is_waiting`: the message has not been sent yet."""
        waiting = Message.objects.filter(subject_id=OuterRef("pk"), state=State.WAITING)
        on_day = self.filter(starts_at__gte=whole_day.start, starts_at__lt=whole_day.end)
        return on_day.annotate(is_waiting=Exists(waiting)).select_related("entry")

    def patients_offered(self, interval: Interval) -> set[uuid.UUID]:
        """Return the keys of the patients with a standing offer of a time in `interval`, whoever the therapist is."""
        there = self.standing().filter(starts_at__gte=interval.start, starts_at__lt=interval.end)
        return set(there.values_list("entry__patient_id", flat=True))


class SlotOffer(models.Model):
    """An offer of a free time to one entry. Several entries may be offered the same time; the first taker gets it.

    A change of a visit freed the time, or staff offer a gap, also at short notice and in hours that are not offered
    online.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.ForeignKey(WaitListEntry, on_delete=models.CASCADE, related_name="offers")
    therapist = models.ForeignKey("practice.Therapist", on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField("starts")
    freed_by = models.ForeignKey(
        Appointment,
        on_delete=models.CASCADE,
        null=True,
        related_name="offers_of_its_time",
        help_text="The visit that was canceled or moved. Empty: staff offer a gap.",
    )
    freed_version = models.PositiveSmallIntegerField(
        null=True, help_text="The version of that visit which freed the time."
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="From then on the time is too near to be taken by the link.")
    taken_at = models.DateTimeField(null=True, blank=True)
    is_waiting: bool  # set only by `of_day`

    objects = SlotOfferQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "created_at")
        indexes = [models.Index(fields=["starts_at"], name="slot_offer_by_start")]
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "freed_by", "freed_version"], name="slot_offer_once_for_a_freed_time"
            ),
            models.UniqueConstraint(
                fields=["entry", "therapist", "starts_at"],
                condition=Q(freed_by__isnull=True),
                name="slot_offer_once_for_a_time_in_a_gap",
            ),
            models.CheckConstraint(
                name="slot_offer_is_freed_at_a_version",
                condition=Q(freed_by__isnull=True, freed_version__isnull=True)
                | Q(freed_by__isnull=False, freed_version__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["entry"], condition=Q(taken_at__isnull=False), name="slot_offer_serves_an_entry_once"
            ),
            models.CheckConstraint(
                name="slot_offer_ends_before_the_visit", condition=Q(expires_at__lte=F("starts_at"))
            ),
        ]

    def __str__(self) -> str:
        return format_utc(self.starts_at)
