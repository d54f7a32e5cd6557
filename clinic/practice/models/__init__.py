"""The tables of this room: the clinic, its staff, its patients and how they get in."""

from .cleanup import CleanupRun
from .clinic import Clinic, reading_clinic_once, validate_time_zone
from .limits import RateLimit
from .links import ConfirmationCode, LinkPurpose, PatientLink, Proof
from .patients import NameKey, Patient
from .staff import Therapist, User, UserManager

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
    "Therapist",
    "User",
    "UserManager",
    "reading_clinic_once",
    "validate_time_zone",
]
