"""The levels of a flag, and how soon staff review each."""

from datetime import timedelta

from django.db import models


class Level(models.TextChoices):
    """The urgency of a flag: get help now, see a doctor soon, or tell the therapist at the visit."""

    EMERGENCY = "E", "emergency"
    URGENT = "U", "urgent"
    TELL = "T", "tell the therapist"


FIRST_REVIEW_WITHIN: dict[str, timedelta] = {Level.EMERGENCY: timedelta(minutes=30), Level.URGENT: timedelta(hours=4)}
