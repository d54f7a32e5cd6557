"""Forms of booking, for visitors and for staff."""
