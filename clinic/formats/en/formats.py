"""How Django itself writes dates and times, as in lists of the admin: the same as `clinic.practice.values.dates` writes
them.
"""

DATE_FORMAT = SHORT_DATE_FORMAT = "M j, Y"
TIME_FORMAT = "g:i A"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = f"{DATE_FORMAT}, {TIME_FORMAT}"
YEAR_MONTH_FORMAT, MONTH_DAY_FORMAT = "F Y", "M j"
