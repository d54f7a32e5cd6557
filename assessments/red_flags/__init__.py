"""Flags: shipped rules and questionnaires, raised flags, staff alerts, sign-off, advice to patients."""
