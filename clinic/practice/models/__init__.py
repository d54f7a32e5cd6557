"""The models of this room: the clinic, its staff, its patients and their links."""

from clinic.practice.models.cleanup import CleanupRun
from clinic.practice.models.clinic import Clinic, reading_clinic_once, validate_time_zone
from clinic.practice.models.limits import RateLimit
from clinic.practice.models.links import ConfirmationCode, LinkPurpose, PatientLink, Proof
from clinic.practice.models.patients import NameKey, Patient
from clinic.practice.models.staff import Role, Therapist, User, UserManager

__all__ = [
    "CleanupRun",
    "Clinic",
    "ConfirmationCode",
    "LinkPurpose",
    "NameKey",
    "Patient",
    "PatientLink",
    "Proof",
    "RateLimit",
    "Role",
    "Therapist",
    "User",
    "UserManager",
    "reading_clinic_once",
    "validate_time_zone",
]
