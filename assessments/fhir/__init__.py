"""FHIR files: import, trial, checks and export. Only the admin and commands import this package."""
