"""The clinic and its patients in the admin."""

from clinic.practice.admin import cleanup, clinic, patients, therapists  # noqa: F401 - each registers its pages
