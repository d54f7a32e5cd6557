"""The history of visits."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from booking.models.appointment import Appointment
from booking.models.visit_modes import MODE_CHOICES


class AppointmentEvent(models.Model):
    """An entry of a visit's history, written by the domain functions.

    Append-only, but for the choice of staff not to tell the patient of a move (`is_silent`), while it can be undone.
    """

    class Kind(models.TextChoices):
        BOOKED = "booked", "booked"
        CONFIRMED = "confirmed", "confirmed"
        CANCELLED = "cancelled", "canceled"
        RESTORED = "restored", "cancellation undone"
        MOVED = "moved", "moved"
        ARRIVED = "arrived", "arrived"
        ARRIVAL_UNDONE = "arrived_undo", "arrival undone"
        NO_SHOW = "no_show", "no-show"
        NO_SHOW_UNDONE = "no_show_undo", "no-show undone"
        ADDRESS_CORRECTED = "address", "address corrected"
        NOT_COMING = "not_coming", "patient cannot come"
        OFF_SCHEDULE = "off_schedule", "kept outside the schedule"
        HERE = "here", "patient is here"
        HERE_UNDONE = "here_undo", "patient is not here yet"
        STARTED = "started", "began"
        START_UNDONE = "started_undo", "beginning undone"
        FINISHED = "finished", "done"
        FINISH_UNDONE = "finish_undo", "end undone"
        FEE_CHARGED = "fee_charged", "late fee charged"
        FEE_WAIVED = "fee_waived", "late fee waived"
        FEE_UNDONE = "fee_undo", "decision on the late fee undone"
        ASKED_TO_MOVE = "asked", "asked to choose another time"

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
        help_text="The staff member. Empty: the patient.",
    )
    starts_at = models.DateTimeField(help_text="The visit’s start after this change.")
    version = models.PositiveSmallIntegerField(
        null=True, help_text="The visit’s version after this change. Null in old rows."
    )
    therapist = models.ForeignKey("practice.Therapist", on_delete=models.PROTECT, null=True, related_name="+")
    mode = models.CharField(max_length=10, blank=True, default="", db_default="", choices=MODE_CHOICES)
    minutes = models.PositiveSmallIntegerField(
        null=True, help_text="The visit’s length after this change. Null in rows of an earlier release."
    )
    is_silent = models.BooleanField(
        default=False, db_default=False, help_text="A move of which staff chose not to tell the patient."
    )
    cleared = models.JSONField(
        null=True, encoder=DjangoJSONEncoder, help_text="What a move cleared from the visit: an undo restores it."
    )

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return self.get_kind_display()
