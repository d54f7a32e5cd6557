"""Time arithmetic: intervals, opening hours, caps, holidays. Pure."""
