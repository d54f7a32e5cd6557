"""The clinic: one row with its address and its policies."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import time
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from clinic.practice.values.phone import LONGEST_PHONE, PHONE_PATTERN
from clinic.practice.values.zones import zone_names


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA zone in this machine's database, such as "America/New_York"."""
    if name not in zone_names():
        raise ValidationError("Choose a time zone such as America/New_York.", code="unknown_time_zone")


# The row read within `reading_clinic_once`, as a list of at most one; None outside of it.
_read_once: ContextVar[list["Clinic"] | None] = ContextVar("_read_once", default=None)


@contextmanager
def reading_clinic_once() -> Iterator[None]:
    """Cache `Clinic.objects.current()` in this block: at most one query. For code that does not write."""
    token = _read_once.set([])
    try:
        yield
    finally:
        _read_once.reset(token)


class ClinicQuerySet(models.QuerySet["Clinic"]):
    def current(self) -> "Clinic":
        """Return the clinic's row, or an unsaved one with the defaults if there is none.

        One query, or none if cached by `reading_clinic_once`.
        """
        kept = _read_once.get()
        if kept is None:
            return self.filter(pk=1).first() or Clinic()
        if not kept:
            kept.append(self.filter(pk=1).first() or Clinic())
        return kept[0]


class Clinic(models.Model):
    """The clinic: name, address and policies. There is at most one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=100, default="Running clinic")
    legal_line = models.CharField(
        max_length=200,
        blank=True,
        help_text="Shown at the bottom of pages, such as the legal name or a license number.",
    )
    street = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state", max_length=80, blank=True)
    postal_code = models.CharField(max_length=16, blank=True)
    country = models.CharField(
        max_length=2,
        default="US",
        help_text="Two letters. Phone numbers without a country code are taken as from here.",
    )
    phone = models.CharField(max_length=LONGEST_PHONE, blank=True)
    email = models.EmailField(blank=True, help_text="Replies to our messages go there.")
    time_zone = models.CharField(max_length=64, default="America/New_York", validators=[validate_time_zone])
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    directions = models.TextField(blank=True)
    what_to_bring = models.TextField(blank=True)

    minimum_notice_minutes = models.PositiveIntegerField(
        "minimum notice (minutes)",
        default=12 * 60,
        help_text="Patients cannot book sooner than this: 720 is 12 hours. A service can have its own.",
    )
    horizon_days = models.PositiveSmallIntegerField(
        "bookable ahead (days)",
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text="Patients cannot book further ahead than this. A service can have its own.",
    )
    change_window_hours = models.PositiveSmallIntegerField(
        "online changes close (hours before)",
        default=24,
        help_text="Until then patients can move or cancel a visit online; later they must call. 0: until the visit starts.",
    )
    change_policy = models.TextField(
        "late changes", blank=True, help_text="What happens if a patient changes or cancels late. Patients read this."
    )
    bookings_a_day_per_address = models.PositiveSmallIntegerField(
        "bookings a day by one email address",
        default=5,
        help_text="Above this, the patient must confirm by a link that we email. 0: no limit. Staff can always book.",
    )
    bookings_a_day_per_network = models.PositiveSmallIntegerField(
        "bookings a day from one network",
        default=20,
        help_text="A network is a household, an office or a club. Above this, visitors must wait, except those who come by a link "
        "from our email. 0: no limit, also for holds.",
    )
    quiet_from = models.TimeField(
        default=time(21), help_text="No reminder is sent from this time on, in the reader's time zone."
    )
    quiet_until = models.TimeField(
        default=time(8), help_text="Reminders are sent again from this time on. The same time in both: no quiet hours."
    )
    emergency_number = models.CharField(max_length=8, default="911")
    shows_unreviewed_articles = models.BooleanField(
        "show articles that no clinician has reviewed",
        default=True,
        help_text="They carry a note that says so. Off: an article appears once it has a reviewer.",
    )

    objects = ClinicQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "clinic"
        constraints = [
            models.CheckConstraint(name="clinic_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(name="clinic_horizon_is_a_day_to_a_year", condition=Q(horizon_days__range=(1, 366))),
            models.CheckConstraint(name="clinic_phone_is_e164", condition=Q(phone="") | Q(phone__regex=PHONE_PATTERN)),
            models.CheckConstraint(
                name="clinic_coordinates_are_valid",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.time_zone)
