"""Services of the clinic."""

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.functional import cached_property

from booking.models.visit_modes import DEFAULT_MODE, MODES, VisitMode
from booking.time.caps import Caps
from booking.time.intervals import VisitShape
from clinic.practice.values.money import format_money

SHORTEST_MINUTES, LONGEST_MINUTES, MINUTES_STEP = 5, 480, 5
LENGTHS = range(SHORTEST_MINUTES, LONGEST_MINUTES + 1, MINUTES_STEP)  # of `Service.other_minutes`


def default_modes() -> list[str]:
    """Return the modes of a new service."""
    return [DEFAULT_MODE]


class ServiceQuerySet(models.QuerySet["Service"]):
    def listed(self) -> Self:
        """Services shown to patients, that is, all that are not hidden. Annotates `has_active_therapist`."""
        does = Service.therapists.through.objects.filter(service=OuterRef("pk"), therapist__is_active=True)
        return self.exclude(listing=Service.Listing.HIDDEN).annotate(has_active_therapist=Exists(does))

    def booked_online(self) -> Self:
        """Services that patients can book online."""
        return self.listed().filter(listing=Service.Listing.BOOKABLE, has_active_therapist=True)


class Terms(models.Model):
    """Price and late fee. A service has the current ones; a visit has those agreed when it was held or booked.

    A new column needs a default in the database (`db_default`), because the processes of the previous release insert
    rows without it between `migrate` and their restart.
    """

    price_cents = models.PositiveIntegerField("price")
    late_fee_cents = models.PositiveIntegerField(
        "late fee",
        default=0,
        db_default=0,
        help_text="For a change or a no-show after online changes close.",
    )
    is_first_late_free = models.BooleanField(
        "the first time is free",
        default=True,
        db_default=True,
        help_text="Patients read this next to the late fee. You decide when you bill.",
    )
    late_fee_note = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="One more sentence for patients, such as when you waive the fee.",
    )

    class Meta:
        abstract = True

    @property
    def late_fee_text(self) -> str:
        """Sentences for patients about the late fee; empty without a fee."""
        if not self.late_fee_cents:
            return ""
        free = " The first time is free." if self.is_first_late_free else ""
        note = f" {self.late_fee_note.strip()}" if self.late_fee_note.strip() else ""
        return f"A late change or a missed visit costs {format_money(self.late_fee_cents)}.{free}{note}"

    if TYPE_CHECKING:  # a column of a service, a property of a visit

        @property
        def minutes(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """A digest of length and terms, by which a form detects that they changed after it was shown."""
        agreed = json.dumps([self.minutes, self.terms], sort_keys=True)
        return hashlib.sha256(agreed.encode()).hexdigest()[:32]

    @property
    def terms(self) -> dict[str, Any]:
        """The terms by column, to copy from a service to a visit."""
        return {field.name: getattr(self, field.name) for field in Terms._meta.fields}


class Purpose(models.TextChoices):
    """The purpose of a service."""

    CALL = "call", "call: a first talk before any visit"
    EVALUATION = "evaluation", "evaluation: a first visit"
    FOLLOW_UP = "follow_up", "follow-up: for returning patients"
    OTHER = "other", "other"


class Service(Terms):
    """A service, with its length, price, modes and therapists."""

    class Listing(models.TextChoices):
        BOOKABLE = "bookable", "bookable online"
        CALL_US = "call_us", "shown with “call us”"
        HIDDEN = "hidden", "hidden"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(
        "web address",
        unique=True,
        help_text="The last part of /book/…/. If you change it, saved links stop working.",
    )
    name = models.CharField(max_length=80, help_text="Patients read this on the button.")
    purpose = models.CharField(
        max_length=10,
        choices=Purpose.choices,
        default=Purpose.OTHER,
        db_default=Purpose.OTHER,
        help_text="Only returning patients can book a follow-up online. Staff can book it for anyone.",
    )
    summary = models.CharField(max_length=200, help_text="One sentence below the name: who it is for.")
    includes = models.TextField(blank=True, help_text="What the price includes. One item per line.")
    minutes = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(5), MaxValueValidator(480)], help_text="Length of the visit for the patient."
    )
    other_minutes = ArrayField(
        models.PositiveSmallIntegerField(),
        verbose_name="other lengths (minutes)",
        default=list,
        db_default=[],
        blank=True,
        help_text="Lengths that staff may choose for a single visit, such as 30, 60. Empty: none. The price stays the same.",
    )
    start_step_minutes = models.PositiveSmallIntegerField(
        "start every (minutes)",
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(480)],
        help_text="Minutes between start times, counted from opening.",
    )
    prepare_minutes = models.PositiveSmallIntegerField(
        "minutes before",
        default=0,
        validators=[MaxValueValidator(240)],
        help_text="Kept free before the visit. Patients do not see it. It can be before opening.",
    )
    turnover_minutes = models.PositiveSmallIntegerField(
        "minutes after",
        default=0,
        validators=[MaxValueValidator(240)],
        help_text="Kept free after the visit. Patients do not see it. It can run past closing.",
    )
    offered_modes = ArrayField(
        models.CharField(max_length=10, choices=[(mode.name, mode.staff_choice) for mode in MODES.values()]),
        verbose_name="how",
        default=default_modes,
        db_default=[DEFAULT_MODE],
    )
    minimum_notice_minutes = models.PositiveIntegerField(
        "minimum notice (minutes)",
        null=True,
        blank=True,
        help_text="Patients cannot book sooner than this. Empty: the clinic’s setting.",
    )
    horizon_days = models.PositiveSmallIntegerField(
        "bookable ahead (days)",
        null=True,
        blank=True,
        help_text="Patients cannot book further ahead than this. Empty: the clinic’s setting.",
    )
    daily_cap = models.PositiveSmallIntegerField(
        "most per day",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The most visits of this service per therapist and day. Empty: no limit.",
    )
    weekly_cap = models.PositiveSmallIntegerField(
        "most per week",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The most visits of this service per therapist from Monday to Sunday. Empty: no limit.",
    )
    prefers_no_gaps = models.BooleanField(
        "avoid gaps",
        default=False,
        help_text="Shows times right before or after another visit first, to avoid short gaps.",
    )
    therapists = models.ManyToManyField(
        "practice.Therapist",
        related_name="services",
        blank=True,
        help_text="Who offers this service. Without a therapist, no times are shown.",
    )
    intake_slug = models.SlugField("intake", blank=True, help_text="The questionnaire for new bookings. Empty: none.")
    listing = models.CharField(
        max_length=10,
        choices=Listing.choices,
        default=Listing.BOOKABLE,
        help_text="Bookable online, shown with your phone number, or not shown at all.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower numbers are shown first.")

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ("position", "name")
        constraints = [
            models.CheckConstraint(
                name="service_lasts_five_minutes_to_eight_hours", condition=Q(minutes__gte=5, minutes__lte=480)
            ),
            models.CheckConstraint(
                name="service_starts_every_five_minutes_or_more", condition=Q(start_step_minutes__gte=5)
            ),
            models.CheckConstraint(
                name="service_caps_are_positive",
                condition=(Q(daily_cap__isnull=True) | Q(daily_cap__gte=1))
                & (Q(weekly_cap__isnull=True) | Q(weekly_cap__gte=1)),
                violation_error_message="The limit must be 1 or more. To take the service offline, choose “hidden”.",
            ),
            models.CheckConstraint(
                name="service_happens_in_some_way",
                condition=~Q(offered_modes=[]),
                violation_error_message="Choose at least one way to meet.",
            ),
            models.CheckConstraint(
                name="service_other_lengths_are_whole_steps", condition=Q(other_minutes__contained_by=list(LENGTHS))
            ),
            models.CheckConstraint(
                name="service_modes_are_known", condition=Q(offered_modes__contained_by=list(MODES))
            ),
            models.CheckConstraint(
                name="service_purpose_is_known", condition=Q(purpose__in=["call", "evaluation", "follow_up", "other"])
            ),
            models.CheckConstraint(
                name="service_listing_is_known", condition=Q(listing__in=["bookable", "call_us", "hidden"])
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_bookable(self) -> bool:
        """Whether its listing allows online booking."""
        return self.listing == self.Listing.BOOKABLE

    @cached_property
    def has_active_therapist(self) -> bool:
        """Whether an active therapist offers it. `listed` annotates it."""
        return self.therapists.active().exists()

    @property
    def is_booked_online(self) -> bool:
        """Whether patients can book it online; otherwise its pages ask them to call."""
        return self.is_bookable and self.has_active_therapist

    @property
    def is_follow_up(self) -> bool:
        """Whether only patients with an earlier visit can book it online."""
        return self.purpose == Purpose.FOLLOW_UP

    @property
    def modes(self) -> list[VisitMode]:
        """Its modes, in the order of `MODES`."""
        return [mode for mode in MODES.values() if mode.name in self.offered_modes]

    @property
    def inclusions(self) -> list[str]:
        """The lines of `includes`."""
        return [line.strip() for line in self.includes.splitlines() if line.strip()]

    @property
    def is_only_at_clinic(self) -> bool:
        """Whether the patient always comes to the clinic."""
        return all(mode.is_at_clinic for mode in self.modes)

    @property
    def is_only_by_clinics_clock(self) -> bool:
        """Whether all its modes use the clinic's time zone, so that no other zone matters."""
        return all(mode.is_by_clinics_clock for mode in self.modes)

    @property
    def shape(self) -> VisitShape:
        """Length, step between start times, and buffers, as a value of `booking.time.intervals`."""
        return VisitShape(self.minutes, self.start_step_minutes, self.prepare_minutes, self.turnover_minutes)

    @property
    def caps(self) -> Caps:
        """The daily and weekly caps."""
        return Caps(self.daily_cap, self.weekly_cap)
