"""Flags: rules as released, raised flags, staff alerts, sign-off, advice to patients."""
