"""Registries by which each room adds to Today, a patient's record, a visit's page and the patient's own page."""
