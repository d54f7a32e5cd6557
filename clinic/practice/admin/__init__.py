"""The clinic, its staff and its patients in the admin."""

from clinic.practice.admin import cleanup, clinic, patients, staff, therapists  # noqa: F401 - each registers its pages
