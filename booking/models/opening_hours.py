"""Opening hours and overrides."""

from typing import Self
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from booking.time.intervals import Interval
from booking.time.opening_hours import MIDNIGHT, WeeklyHours, common_hours
from clinic.practice.values.dates import format_date, format_hours, format_interval


class HoursMode(models.TextChoices):
    """How visits in opening hours can be booked."""

    BOOKABLE = "bookable", "online"
    CALL_US = "call_us", "by phone only"
    RESERVE = "reserve", "reserved until the day before"


class OpeningHours(models.Model):
    """Hours of a therapist on one weekday, every week. A day with a lunch break has two rows."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0
        TUESDAY = 1
        WEDNESDAY = 2
        THURSDAY = 3
        FRIDAY = 4
        SATURDAY = 5
        SUNDAY = 6

    id = models.BigAutoField(primary_key=True)
    therapist = models.ForeignKey(
        "practice.Therapist", on_delete=models.CASCADE, related_name="opening_hours", help_text="Whose hours these are."
    )
    weekday = models.PositiveSmallIntegerField(
        choices=Weekday.choices,
        help_text="Add one row for the morning and one for the afternoon if there is a lunch break.",
    )
    opens = models.TimeField(help_text="The first visit can start at this time. Clinic time, all year.")
    closes = models.TimeField(
        help_text="The last visit ends by this time. The minutes kept free after it can run later. For midnight enter “midnight”."
    )
    mode = models.CharField(
        "offered",
        max_length=10,
        choices=HoursMode.choices,
        default=HoursMode.BOOKABLE,
        help_text="Choose “by phone only” to decide yourself who gets these times. Reserved times are for flare-ups: they "
        "open online by themselves the day before.",
    )
    valid_from = models.DateField(
        null=True, blank=True, help_text="The first day of these hours. Empty: no start date."
    )
    valid_until = models.DateField(null=True, blank=True, help_text="The last day of these hours. Empty: no end date.")

    class Meta:
        ordering = ("therapist", "weekday", "opens")
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(
                name="opening_hours_close_after_they_open",
                condition=Q(closes__gt=F("opens")) | Q(closes=MIDNIGHT),
                violation_error_message="Closing must be later than opening. For midnight enter “midnight”.",
            ),
            models.CheckConstraint(
                name="opening_hours_end_after_they_begin",
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                violation_error_message="The last day must not be before the first.",
            ),
            models.CheckConstraint(name="opening_hours_weekday_is_known", condition=Q(weekday__lte=6)),
            models.CheckConstraint(
                name="opening_hours_mode_is_known", condition=Q(mode__in=["bookable", "call_us", "reserve"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.therapist.name}: {self._day_and_hours}"

    @property
    def _day_and_hours(self) -> str:
        return f"{self.get_weekday_display()} {format_hours(self.opens, self.closes)}"

    def clean(self) -> None:
        """Raise ValidationError if these hours overlap another row of the same therapist and mode. The error names it.

        Hours of different modes may overlap: part of a reserved morning can be by phone only.
        """
        if None in (self.therapist_id, self.weekday, self.opens, self.closes):  # the fields' own errors report it
            return
        same = OpeningHours.objects.filter(therapist=self.therapist_id, weekday=self.weekday, mode=self.mode)
        for other in same.exclude(pk=self.pk):
            if common_hours(self.weekly, other.weekly):
                raise ValidationError(f"These hours overlap {other.in_full}. Change that row, or other hours here.")

    @property
    def in_full(self) -> str:
        """Text like "Tuesday 8:00 AM – noon (online from Dec 1, 2026)"."""
        first = f" from {format_date(self.valid_from)}" if self.valid_from else ""
        last = f" until {format_date(self.valid_until)}" if self.valid_until else ""
        return f"{self._day_and_hours} ({self.get_mode_display()}{first}{last})"

    @property
    def weekly(self) -> WeeklyHours:
        """The hours as a value of `booking.time.opening_hours`."""
        return WeeklyHours(self.weekday, self.opens, self.closes, self.valid_from, self.valid_until, self.mode)


class HoursOverrideQuerySet(models.QuerySet["HoursOverride"]):
    def touching(self, interval: Interval) -> Self:
        """Overrides that overlap `interval`."""
        return self.filter(starts_at__lt=interval.end, ends_at__gt=interval.start)

    def closing(self, interval: Interval, *, therapist_id: UUID) -> Self:
        """Closures of the therapist, or of all therapists, that overlap `interval`."""
        closures = self.touching(interval).filter(kind=HoursOverride.Kind.CLOSURE)
        return closures.filter(Q(therapist=therapist_id) | Q(therapist=None))


class HoursOverride(models.Model):
    """An override of the weekly hours: a closure or extra hours."""

    class Kind(models.TextChoices):
        CLOSURE = "closure", "closed"
        EXTRA = "extra", "extra hours"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(
        max_length=10,
        choices=Kind.choices,
        default=Kind.CLOSURE,
        help_text="“Closed” removes times. “Extra hours” adds times.",
    )
    therapist = models.ForeignKey(
        "practice.Therapist",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="hours_overrides",
        help_text="Empty: all therapists.",
    )
    starts_at = models.DateTimeField("starts", help_text="Clinic time.")
    ends_at = models.DateTimeField("ends", help_text="Clinic time.")
    note = models.CharField(max_length=120, blank=True, help_text="Only staff see this.")
    created_at = models.DateTimeField("added", auto_now_add=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    asked_count = 0  # patients asked to choose another time; set only while the closure is being created in the admin

    objects = HoursOverrideQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at",)
        verbose_name = "blocked or extra time"
        verbose_name_plural = "blocked and extra time"
        indexes = [models.Index(fields=["ends_at", "starts_at"], name="hours_override_by_time")]
        constraints = [
            models.CheckConstraint(
                name="hours_override_ends_after_it_starts",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="The end must be later than the start.",
            ),
            models.CheckConstraint(name="hours_override_kind_is_known", condition=Q(kind__in=["closure", "extra"])),
        ]

    def __str__(self) -> str:
        """Return text like "Closed Wed, Nov 11, 2026 (Veterans Day)", with the therapist unless it applies to all.

        Do not log it, because it contains the note that staff wrote.
        """
        whose = f", {self.therapist.name}" if self.therapist else ""
        note = f" ({self.note})" if self.note else ""
        return f"{self.get_kind_display().capitalize()} {self.when}{whose}{note}"

    @property
    def when(self) -> str:
        """The time in Django's current time zone. Whole days are shown without hours, like "Nov 26 – 27, 2026"."""
        return format_interval(timezone.localtime(self.starts_at), timezone.localtime(self.ends_at))

    @property
    def interval(self) -> Interval:
        """The time of the override."""
        return Interval(self.starts_at, self.ends_at)
