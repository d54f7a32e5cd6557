"""How Django itself writes dates and times, as in lists of the admin: the same as `clinic.practice.values.dates` writes
them.
"""

DATE_FORMAT = SHORT_DATE_FORMAT = "M j, Y"
TIME_FORMAT = "g:i A"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = f"D, {DATE_FORMAT}, {TIME_FORMAT}"
YEAR_MONTH_FORMAT, MONTH_DAY_FORMAT = "F Y", "M j"

# The first is what fields show, and what the admin's calendar and clock fill in; the others are accepted too.
DATE_INPUT_FORMATS = ("%m/%d/%Y", "%Y-%m-%d", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y")
DATETIME_INPUT_FORMATS = ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
TIME_INPUT_FORMATS = ("%I:%M %p", "%H:%M", "%H:%M:%S")
