"""What a clinic offers."""

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


def default_modes() -> list[str]:
    """The modes of a new service."""
    return [DEFAULT_MODE]


class ServiceQuerySet(models.QuerySet["Service"]):
    def listed(self) -> Self:
        """What patients see: bookable online, or with "call us" beside it; knowing whether an active therapist does it."""
        does = Service.therapists.through.objects.filter(service=OuterRef("pk"), therapist__is_active=True)
        return self.exclude(listing=Service.Listing.HIDDEN).annotate(has_active_therapist=Exists(does))

    def booked_online(self) -> Self:
        """Those that patients can book online."""
        return self.listed().filter(listing=Service.Listing.BOOKABLE, has_active_therapist=True)


PRICE_HELP = "In cents: 15000 is $150; 0 is shown as free."


class Terms(models.Model):
    """What a visit costs: of a service, as offered today; of a visit, as agreed when its time was held or booked.

    A column that is added to a table in use needs a default in the database too (`db_default`): between `migrate` and
    their restart, the processes of the release before insert rows without it.
    """

    price_cents = models.PositiveIntegerField("price (cents)", help_text=PRICE_HELP)
    late_fee_cents = models.PositiveIntegerField(
        "late fee (cents)",
        default=0,
        db_default=0,
        help_text="For a change or a no-show after online changes close. In cents: 4000 is $40; 0: none.",
    )
    is_first_late_free = models.BooleanField(
        "the first time is free",
        default=True,
        db_default=True,
        help_text="Said beside the late fee; you decide when you bill.",
    )
    late_fee_note = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="One more sentence about it, such as when you waive it.",
    )

    class Meta:
        abstract = True

    @property
    def late_fee_words(self) -> str:
        """What a late change costs, in sentences for patients; empty where it costs nothing."""
        if not self.late_fee_cents:
            return ""
        free = " The first time is free." if self.is_first_late_free else ""
        note = f" {self.late_fee_note.strip()}" if self.late_fee_note.strip() else ""
        return f"A late change or a missed visit costs {format_money(self.late_fee_cents)}.{free}{note}"

    if TYPE_CHECKING:

        @property
        def minutes(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """What a form carries of the length and the terms that its reader saw: a digest of all of them."""
        agreed = json.dumps([self.minutes, self.terms], sort_keys=True)
        return hashlib.sha256(agreed.encode()).hexdigest()[:32]

    @property
    def terms(self) -> dict[str, Any]:
        """Its terms by column, to be copied to what is agreed on them."""
        return {field.name: getattr(self, field.name) for field in Terms._meta.fields}


class Purpose(models.TextChoices):
    """What a service is for, in the field's terms."""

    CALL = "call", "call: a first talk, before any visit"
    EVALUATION = "evaluation", "evaluation: a first visit"
    FOLLOW_UP = "follow_up", "follow-up: for patients who have been here"
    OTHER = "other", "other"


class Service(Terms):
    """Something a clinic does for somebody, with its minutes and its price."""

    class Listing(models.TextChoices):
        BOOKABLE = "bookable", "bookable online"
        CALL_US = "call_us", "shown with “call us”"
        HIDDEN = "hidden", "hidden"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(
        unique=True,
        help_text="Its name in the web address, /book/…/. Links that people have kept break when it changes.",
    )
    name = models.CharField(max_length=80, help_text="What patients read on the button.")
    purpose = models.CharField(
        max_length=10,
        choices=Purpose.choices,
        default=Purpose.OTHER,
        db_default=Purpose.OTHER,
        help_text="A follow-up can be booked online only by patients who have been here; staff can book it for anyone.",
    )
    summary = models.CharField(max_length=200, help_text="One sentence under the name: who it is for.")
    includes = models.TextField(blank=True, help_text="What the price includes, one thing a line.")
    minutes = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(5), MaxValueValidator(480)], help_text="How long the visit is for the patient."
    )
    start_step_minutes = models.PositiveSmallIntegerField(
        "start every (minutes)",
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(480)],
        help_text="Times are offered this many minutes apart, counted from each opening.",
    )
    prepare_minutes = models.PositiveSmallIntegerField(
        "minutes to prepare",
        default=0,
        validators=[MaxValueValidator(240)],
        help_text="Kept free before the visit. Patients never see it; it may lie before opening.",
    )
    turnover_minutes = models.PositiveSmallIntegerField(
        "minutes to turn over",
        default=0,
        validators=[MaxValueValidator(240)],
        help_text="Kept free after the visit. Patients never see it; it may run past closing.",
    )
    offered_modes = ArrayField(
        models.CharField(max_length=10, choices=[(mode.name, mode.staff_choice) for mode in MODES.values()]),
        verbose_name="how",
        default=default_modes,
        db_default=[DEFAULT_MODE],
    )
    minimum_notice_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Times sooner than this are not offered. Empty: as the clinic has it."
    )
    horizon_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days further ahead than this are not offered. Empty: as the clinic has it."
    )
    daily_cap = models.PositiveSmallIntegerField(
        "most a day",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How many of these a therapist takes in one day. Empty: as many as there is time for.",
    )
    weekly_cap = models.PositiveSmallIntegerField(
        "most a week",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How many of these a therapist takes from Monday to Sunday. Empty: as many as there is time for.",
    )
    prefers_no_gaps = models.BooleanField(
        "no lonely gaps",
        default=False,
        help_text="Shows first the times right before or after another visit, so that no odd half hours are left over.",
    )
    therapists = models.ManyToManyField(
        "practice.Therapist", related_name="services", blank=True, help_text="Who does it. Nobody chosen: no times."
    )
    intake_slug = models.SlugField(
        "intake", blank=True, help_text="The questionnaire a new booking starts. Empty: none."
    )
    listing = models.CharField(
        max_length=10,
        choices=Listing.choices,
        default=Listing.BOOKABLE,
        help_text="Bookable online, shown with your phone number, or not shown at all.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Smaller numbers are shown first.")

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
                name="service_caps_let_somebody_in",
                condition=(Q(daily_cap__isnull=True) | Q(daily_cap__gte=1))
                & (Q(weekly_cap__isnull=True) | Q(weekly_cap__gte=1)),
                violation_error_message="A limit of none hides the service; choose “hidden” instead.",
            ),
            models.CheckConstraint(
                name="service_happens_in_some_way",
                condition=~Q(offered_modes=[]),
                violation_error_message="Choose at least one way to meet.",
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
        """Whether its times are offered online."""
        return self.listing == self.Listing.BOOKABLE

    @cached_property
    def has_active_therapist(self) -> bool:
        """Whether an active therapist does it. `listed` reads it for all of its rows at once."""
        return self.therapists.active().exists()

    @property
    def is_booked_online(self) -> bool:
        """Whether patients can book it online; otherwise its pages ask them to call."""
        return self.is_bookable and self.has_active_therapist

    @property
    def is_follow_up(self) -> bool:
        """Whether it continues earlier visits, so that only patients who have been here can book it online."""
        return self.purpose == Purpose.FOLLOW_UP

    @property
    def modes(self) -> list[VisitMode]:
        """The ways it can happen, in the order offered."""
        return [mode for mode in MODES.values() if mode.name in self.offered_modes]

    @property
    def inclusions(self) -> list[str]:
        """What the price includes, thing by thing."""
        return [line.strip() for line in self.includes.splitlines() if line.strip()]

    @property
    def is_only_at_clinic(self) -> bool:
        """Whether the patient always comes to the clinic."""
        return all(mode.is_at_clinic for mode in self.modes)

    @property
    def is_only_by_clinics_clock(self) -> bool:
        """Whether the patient's own time zone never matters."""
        return all(mode.is_by_clinics_clock for mode in self.modes)

    @property
    def shape(self) -> VisitShape:
        """What `booking.time.intervals` needs to know of it."""
        return VisitShape(self.minutes, self.start_step_minutes, self.prepare_minutes, self.turnover_minutes)

    @property
    def caps(self) -> Caps:
        """How many of these a therapist takes."""
        return Caps(self.daily_cap, self.weekly_cap)
