"""Members of staff, and the therapists whom patients book."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinic.practice.values.mail_addresses import normalize_address


class Role(models.TextChoices):
    """What a member of staff does here. `clinic.staff.roles` has the permissions of each role."""

    OWNER = "owner", "owner"
    THERAPIST = "therapist", "therapist"
    FRONT_DESK = "front-desk", "front desk"
    EDITOR = "editor", "editor"
    AUDITOR = "auditor", "auditor"

    @property
    def purpose(self) -> str:
        """What the role is for, in a sentence or two for the owner who chooses it."""
        return PURPOSES[self]


PURPOSES = {
    Role.OWNER: "Runs the clinic: staff, hours, services, prices and message templates. Sees no answers.",
    Role.THERAPIST: "Treats patients. Sees their answers and warning signs, and signs off the rules.",
    Role.FRONT_DESK: "Books and moves visits, and keeps contacts and messages. Sees no answers or warning signs.",
    Role.EDITOR: "Writes and publishes articles. Sees no patients.",
    Role.AUDITOR: "Checks who read what. Sees the audit log and the list of staff, and changes nothing.",
}


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def active_owners(self) -> models.QuerySet["User"]:
        """Return the active users with the role of owner."""
        return self.filter(is_active=True, roles__contains=[Role.OWNER])

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a member of staff who logs in with `email`, stored in lower case. No password means no login."""
        user = self.model(email=normalize_address(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a member of staff with all permissions in the admin."""
        return self.create_user(email, password, **{**fields, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalize_address(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff, who logs in to the admin by email. Patients have no account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    roles = ArrayField(models.CharField(max_length=20, choices=Role), default=list, db_default=[], blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Switch off instead of deleting, to keep the audit log complete."
    )
    created_at = models.DateTimeField("added", auto_now_add=True)

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="user_email_is_lower_case", condition=Q(email=Lower("email"))),
            models.CheckConstraint(name="user_roles_are_known", condition=Q(roles__contained_by=Role.values)),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the user may open the admin: with a role, or with permissions from the command line."""
        return self.is_superuser or bool(self.roles) or bool(self.get_all_permissions())

    @property
    def roles_in_words(self) -> str:
        """The roles in the order of `Role`, such as "owner, therapist"."""
        return ", ".join(role.label for role in Role if role in self.roles)

    def clean(self) -> None:
        self.email = normalize_address(self.email).lower()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class TherapistQuerySet(models.QuerySet["Therapist"]):
    def active(self) -> Self:
        """Return the therapists who see patients."""
        return self.filter(is_active=True)


class Therapist(models.Model):
    """A therapist whom patients can book while `is_active`. `user` is their account, if any."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="therapist"
    )
    name = models.CharField(max_length=120)
    slug = models.SlugField(
        "web address", max_length=60, unique=True, help_text="The last part of the page’s address, such as nora-ellis."
    )
    credentials = models.CharField(max_length=60, blank=True, help_text="For example PT, DPT.")
    bio = models.TextField(blank=True)
    is_active = models.BooleanField(
        "sees patients", default=True, help_text="Off: patients cannot book this therapist."
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower numbers are shown first.")

    objects = TherapistQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return f"{self.name}, {self.credentials}" if self.credentials else self.name
