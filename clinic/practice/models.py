"""The clinic and its people: one clinic, its staff and therapists, and the patients, who are reached by links."""

import uuid
from datetime import time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Lower

from clinic.practice.values.mail_addresses import normalize_address
from clinic.practice.values.phone import LONGEST_PHONE, PHONE_PATTERN
from clinic.practice.values.zones import zone_names


def validate_time_zone(name: str) -> None:
    """Raises ValidationError unless `name` is an IANA zone this machine knows ("America/New_York")."""
    if name not in zone_names():
        raise ValidationError("Choose a time zone such as America/New_York.", code="unknown_time_zone")


class ClinicQuerySet(models.QuerySet):
    def current(self) -> "Clinic":
        """The clinic; one query. Before anybody has described it, an unsaved one with the defaults."""
        return self.filter(pk=1).first() or Clinic()


class Clinic(models.Model):
    """The clinic: who and where it is, and the policies every other room asks for. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=100, default="Running clinic")
    legal_line = models.CharField(
        max_length=200, blank=True, help_text="Shown at the foot of pages: the legal name, a licence number."
    )
    street = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state", max_length=80, blank=True)
    postal_code = models.CharField(max_length=16, blank=True)
    country = models.CharField(
        max_length=2,
        default="US",
        help_text="Two letters. Phone numbers typed without a country are read as this one's.",
    )
    phone = models.CharField(max_length=LONGEST_PHONE, blank=True)
    email = models.EmailField(blank=True, help_text="Where answers to our messages go.")
    time_zone = models.CharField(max_length=64, default="America/New_York", validators=[validate_time_zone])
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    directions = models.TextField(blank=True)
    what_to_bring = models.TextField(blank=True)

    minimum_notice_minutes = models.PositiveIntegerField(default=12 * 60)
    horizon_days = models.PositiveSmallIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    change_window_hours = models.PositiveSmallIntegerField(default=24)
    change_policy = models.TextField(blank=True, help_text="What happens when somebody changes or cancels late.")
    bookings_a_day_per_address = models.PositiveSmallIntegerField(
        "bookings a day by one e-mail address",
        default=5,
        help_text="One more is confirmed by a link that we mail to the address. 0: no limit. You can always book for them.",
    )
    bookings_a_day_per_network = models.PositiveSmallIntegerField(
        "bookings a day from one network",
        default=20,
        help_text="A network is a household, an office, sometimes a club. One more waits for a while; who comes by a link that we "
        "mailed does not. 0: no limit, also for times held while somebody types.",
    )
    quiet_from = models.TimeField(default=time(21), help_text="No reminder is sent from this hour of the reader's day…")
    quiet_until = models.TimeField(default=time(8), help_text="… until this one. The same hour twice: no quiet hours.")
    emergency_number = models.CharField(max_length=8, default="911")
    shows_unreviewed_articles = models.BooleanField(
        "show articles that no clinician has reviewed",
        default=True,
        help_text="They say so themselves. Off: an article appears once its page in the admin names a reviewer.",
    )

    objects = ClinicQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "clinic"
        constraints = [
            models.CheckConstraint(name="clinic_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(name="clinic_horizon_is_a_day_to_a_year", condition=Q(horizon_days__range=(1, 366))),
            models.CheckConstraint(name="clinic_phone_is_e164", condition=Q(phone="") | Q(phone__regex=PHONE_PATTERN)),
            models.CheckConstraint(
                name="clinic_stands_on_earth",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.time_zone)


class UserManager(BaseUserManager):
    use_in_migrations = True

    def create_user(self, email, password=None, **fields):
        """A member of staff who logs in with `email`, kept in lower case. Without a password nobody can log in."""
        user = self.model(email=normalize_address(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        """A member of staff who may do everything in the admin."""
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, email):
        return self.get(email=normalize_address(email).lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff, who logs in to the admin by e-mail. Patients have no account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_staff = models.BooleanField("may log in to the admin", default=False)
    is_active = models.BooleanField(
        default=True, help_text="Switch off instead of deleting: the record of who read what stays."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(name="user_email_is_lower_case", condition=Q(email=Lower("email")))]

    def __str__(self):
        return self.name or self.email

    def clean(self):
        self.email = normalize_address(self.email).lower()

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name.split(" ")[0]


class TherapistQuerySet(models.QuerySet):
    def active(self):
        """Those who see patients."""
        return self.filter(is_active=True)


class Therapist(models.Model):
    """Somebody patients can book; logs in by `user`, if at all."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="therapist"
    )
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    credentials = models.CharField(max_length=60, blank=True, help_text="For example PT, DPT.")
    bio = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    objects = TherapistQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]

    def __str__(self):
        return f"{self.name}, {self.credentials}" if self.credentials else self.name


class NameKey(Func):
    """A name as people compare it: without letter case, accents, apostrophes and hyphens, "Moore, Alice" as "alice moore".

    A function of the database (migration 0011_people), so that what is stored and what is looked up are keyed by one rule.
    """

    function = "practice_name_key"
    output_field = models.TextField()


def stored_name_key() -> Func:
    """`NameKey` of the column, in Django's own terms: migrations keep it, whatever becomes of the class."""
    return Func("name", function=NameKey.function, output_field=models.TextField())


class PatientQuerySet(models.QuerySet):
    def current(self):
        """One row per person: without the provisional rows that were merged into the person they turned out to be."""
        return self.filter(merged_into=None)

    def known(self):
        """Patients whose identity is proven: by a link from their own mailbox, or by staff."""
        return self.filter(is_provisional=False)

    def matching(self, *, name: str, email: str):
        """Current rows with this e-mail address and this name by its key: at most one known, one provisional."""
        keyed = self.current().alias(email_key=Lower("email"))
        return keyed.exclude(email="").filter(email_key=Lower(Value(email)), name_key=NameKey(Value(name)))

    def same_person_as(self, patient: "Patient"):
        """Current rows of this person: the ones with their name and address, or without an address their own."""
        if not patient.email:
            return self.current().filter(pk=patient.pk)
        return self.matching(name=patient.name, email=patient.email)


class Patient(models.Model):
    """A person who booked or asked; no password, reached by links. The same e-mail and name is the same person; staff may
    enter one without an e-mail address, whom name and phone tell apart.

    Anyone can type a name and an address, so what was typed belongs to a *provisional* row until a link from that mailbox
    is used or staff meet the person. Then the row becomes known, or is merged into the known row of the same person.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    email = models.EmailField(
        blank=True, help_text="Without one we can only call them, or text those who agreed to it."
    )
    phone = models.CharField(max_length=LONGEST_PHONE, blank=True)
    birth_on = models.DateField("date of birth", null=True, blank=True)
    time_zone = models.CharField(
        max_length=64, blank=True, validators=[validate_time_zone], help_text="Empty: the clinic's."
    )
    first_name_since = models.DateTimeField(
        "first name in messages since",
        null=True,
        blank=True,
        editable=False,
        help_text="Since when the patient wants their first name in emails and texts. Empty: messages name nobody.",
    )
    is_provisional = models.BooleanField(
        "not confirmed yet",
        default=False,
        editable=False,
        help_text="Typed by a visitor who has not yet used a link from this mailbox.",
    )
    merged_into = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="merged_from"
    )
    created_at = models.DateTimeField()
    name_key = models.GeneratedField(expression=stored_name_key(), output_field=models.TextField(), db_persist=True)
    search_text = models.GeneratedField(  # what staff search: the name's key, the address, the digits of the number
        expression=Concat(
            stored_name_key(),
            Value(" "),
            Lower("email"),
            Value(" "),
            Func(
                "phone", Value(r"\D"), Value(""), Value("g"), function="regexp_replace", output_field=models.TextField()
            ),
            output_field=models.TextField(),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="patient_search"),
            models.Index(fields=["name_key"], name="patient_by_name_key"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "name_key",
                name="patient_email_and_name_are_one_person",
                condition=Q(is_provisional=False) & ~Q(email=""),
                violation_error_message="Another patient has this name and this e-mail address.",
            ),
            models.UniqueConstraint(
                fields=["phone", "name_key"],
                name="patient_phone_and_name_are_one_person",
                condition=Q(is_provisional=False, email="") & ~Q(phone=""),
                violation_error_message="Another patient without an e-mail address has this name and this phone number.",
            ),
            models.CheckConstraint(
                name="patient_has_an_address_while_provisional", condition=Q(is_provisional=False) | ~Q(email="")
            ),
            models.UniqueConstraint(
                Lower("email"),
                "name_key",
                name="patient_is_provisional_once",
                condition=Q(is_provisional=True, merged_into=None),
            ),
            models.CheckConstraint(
                name="patient_merges_only_while_provisional", condition=Q(merged_into=None) | Q(is_provisional=True)
            ),
            models.CheckConstraint(name="patient_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(name="patient_phone_is_e164", condition=Q(phone="") | Q(phone__regex=PHONE_PATTERN)),
        ]

    def __str__(self):
        return self.name


class Proof(models.IntegerChoices):
    """How sure we are that a request comes from the patient it is about; each level includes those before it."""

    SHOWN = 1, "shown in a browser"  # to whoever typed a name and an address, or texted to a number they gave
    MAILED = 2, "mailed"  # the link was sent to the patient's mailbox
    CONFIRMED = 3, "confirmed"  # a mailed code or the birth date, within the last minutes


class LinkPurpose(models.TextChoices):
    VISIT = "visit", "manage a visit"
    INTAKE = "intake", "fill in the questions before a visit"
    MESSAGES = "messages", "choose what we write"
    RETURN = "return", "book again as oneself"
    WAITING = "waiting", "see or leave the wait list"
    OFFER = "offer", "take a time that was freed"


class PatientLink(models.Model):
    """One way in for one patient and one purpose. Only the token's hash is stored; `proof` is how the token got out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    purpose = models.CharField(max_length=16, choices=LinkPurpose.choices)
    subject_id = models.UUIDField(db_index=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="links")
    proof = models.PositiveSmallIntegerField(choices=Proof.choices)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [  # what the clean-up looks for
            models.Index(fields=["expires_at"], name="patient_link_by_expiry"),
            models.Index(fields=["revoked_at"], name="patient_link_by_revocation", condition=~Q(revoked_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="patient_link_expires_after_it_begins", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(name="patient_link_purpose_is_known", condition=Q(purpose__in=LinkPurpose.values)),
            models.CheckConstraint(
                name="patient_link_is_shown_or_mailed", condition=Q(proof__in=[Proof.SHOWN, Proof.MAILED])
            ),
        ]

    def __str__(self):
        return f"{self.get_purpose_display()} until {self.expires_at:%Y-%m-%d}"

    def is_open(self, now) -> bool:
        """Whether the link still opens at `now`."""
        return self.revoked_at is None and now < self.expires_at


class ConfirmationCode(models.Model):
    """A six-digit code mailed to a patient. The code is derived from the row's id (`confirmation`), never stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="confirmation_codes")
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self):
        return str(self.id)


class CleanupRun(models.Model):
    """One run of the clean-up (`clinic.cleanup`). `deleted` is {kind: rows}; `unfinished` are the kinds with rows left."""

    started_at = models.DateTimeField("ran", db_index=True)
    ended_at = models.DateTimeField()
    deleted = models.JSONField(default=dict)
    unfinished = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "clean-up of expired data"
        verbose_name_plural = "clean-ups of expired data"
        constraints = [
            models.CheckConstraint(name="cleanup_run_ends_after_it_starts", condition=Q(ended_at__gte=F("started_at")))
        ]

    def __str__(self):
        return f"{self.started_at:%Y-%m-%d %H:%M} UTC"


class RateLimit(models.Model):
    """How far one budget is used up; `clinic.practice.access.rate_limits` has the limits and is the only writer."""

    key = models.UUIDField(primary_key=True, editable=False, help_text="A keyed hash of the limit and whom it is for.")
    whole_at = models.DateTimeField(help_text="When the whole budget is there again; after it the row means nothing.")

    def __str__(self):
        return f"whole at {self.whole_at:%Y-%m-%d %H:%M:%S} UTC"
