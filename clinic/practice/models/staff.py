"""The members of staff, and the therapists patients book."""

import uuid

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from clinic.practice.values.mail_addresses import normalize_address


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
    """A member of staff, who logs in to the admin by email. Patients have no account."""

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
