"""The calendar of staff: days and therapists in columns, what they hold in lanes, and the month."""
