"""Arithmetic on time: intervals, opening hours, caps, holidays. Pure."""
