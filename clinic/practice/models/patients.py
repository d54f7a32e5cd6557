"""Patients, and the key that is used to compare names."""

import uuid
from collections.abc import Collection
from typing import Any, Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat, Lower

from clinic.audit.reading import note_loaded
from clinic.practice.models.clinic import validate_time_zone
from clinic.practice.values.phone import LONGEST_PHONE, PHONE_PATTERN

ERASED_DOMAIN = "@erased.invalid"  # of the addresses of erased patients; nothing can be delivered there (RFC 2606)


class NameKey(Func):
    """The key of a name: lower case, without accents, apostrophes and hyphens; "alice moore" for "Moore, Alice".

    A database function (migration 0011_people), so that stored and typed names are keyed by the same rule.
    """

    function = "practice_name_key"
    output_field = models.TextField()


def stored_name_key() -> Func:
    """Return the `NameKey` of the column `name` as a plain `Func`, so that migrations do not import `NameKey`."""
    return Func("name", function=NameKey.function, output_field=models.TextField())


class PatientQuerySet(models.QuerySet["Patient"]):
    def current(self) -> Self:
        """Return the rows that have been neither merged into another one nor erased."""
        return self.filter(merged_into=None, erased_at=None)

    def replaced(self) -> Self:
        """Return the known rows that staff merged into another one. A person may still type their identity."""
        return self.known().exclude(merged_into=None)

    def known(self) -> Self:
        """Return the patients whose identity is proven: by a link from their own mailbox, or by staff."""
        return self.filter(is_provisional=False)

    def matching(self, *, name: str, email: str) -> Self:
        """Return the current rows with this email address and name key: at most one known and one provisional."""
        return self.current().with_identity(name=name, email=email)

    def with_identity(self, *, name: str, email: str) -> Self:
        """Return all rows with this email address and name key, including rows that have been merged."""
        keyed = self.alias(email_key=Lower("email")).exclude(email="")
        return keyed.filter(email_key=Lower(Value(email)), name_key=NameKey(Value(name)))

    def same_person_as(self, patient: "Patient") -> Self:
        """Return the current rows with the name and address of `patient`. If it has no address, only its own row."""
        if not patient.email:
            return self.current().filter(pk=patient.pk)
        return self.matching(name=patient.name, email=patient.email)


IDENTIFYING = frozenset({"name", "email", "phone", "birth_on"})


class Patient(models.Model):
    """A person who booked or joined the wait list. Patients use links instead of passwords.

    Email address and name identify a person. Staff may add one without an email address, identified by name and phone.

    Anyone can type a name and an address. So a form creates a *provisional* row until a link from that mailbox is used
    or staff meet the person. Then the row becomes known, or is merged into the known row of the same person.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True, help_text="Without one we can only call them, or text them if they agreed.")
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
        help_text="When the patient chose to have their first name in emails and texts. Empty: messages have no name.",
    )
    is_provisional = models.BooleanField(
        "not confirmed yet",
        default=False,
        editable=False,
        help_text="Entered by a visitor who has not used a link from this mailbox yet.",
    )
    merged_into = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="merged_from"
    )
    created_at = models.DateTimeField("added")
    erased_at = models.DateTimeField(
        "erased",
        null=True,
        editable=False,
        help_text="When staff erased the patient's name, contact details and answers.",
    )
    name_key = models.GeneratedField(expression=stored_name_key(), output_field=models.TextField(), db_persist=True)
    search_text = models.GeneratedField(  # for searches by staff: the name's key, the address, the digits of the number
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
        permissions = [
            ("export_patient", "Can export a patient's record"),
            ("merge_patient", "Can merge two records of one patient"),
            ("erase_patient", "Can erase a patient's record"),
        ]
        indexes = [
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="patient_search"),
            models.Index(fields=["name_key"], name="patient_by_name_key"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "name_key",
                name="patient_email_and_name_are_one_person",
                condition=Q(is_provisional=False, merged_into=None) & ~Q(email=""),
                violation_error_message="Another patient has this name and this email address.",
            ),
            models.UniqueConstraint(
                fields=["phone", "name_key"],
                name="patient_phone_and_name_are_one_person",
                condition=Q(is_provisional=False, merged_into=None, email="") & ~Q(phone=""),
                violation_error_message="Another patient without an email address has this name and this phone number.",
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
                name="patient_is_not_merged_into_itself", condition=Q(merged_into=None) | ~Q(merged_into=F("pk"))
            ),
            models.CheckConstraint(
                name="patient_erased_has_no_contact_details",
                condition=Q(erased_at=None) | Q(phone="", birth_on=None, email__endswith=ERASED_DOMAIN),
            ),
            models.CheckConstraint(name="patient_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(name="patient_phone_is_e164", condition=Q(phone="") | Q(phone__regex=PHONE_PATTERN)),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any
    ) -> "Patient":
        """Note for the audit log that the current request reads this patient, so that no page can forget it."""
        patient = super().from_db(db, field_names, values, **options)
        if not IDENTIFYING.isdisjoint(field_names):
            note_loaded(patient.pk)
        return patient
