"""The formats in which Django itself writes dates and times, as in admin lists.

They match those of `clinic.practice.values.dates` with the year.
"""

DATE_FORMAT = SHORT_DATE_FORMAT = "M j, Y"
TIME_FORMAT = "g:i A"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = f"D, {DATE_FORMAT}, {TIME_FORMAT}"
YEAR_MONTH_FORMAT, MONTH_DAY_FORMAT = "F Y", "M j"

# Form fields show the first format, and the admin's calendar and clock fill it in. The other formats are accepted too.
DATE_INPUT_FORMATS = ("%m/%d/%Y", "%Y-%m-%d", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y")
DATETIME_INPUT_FORMATS = ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
TIME_INPUT_FORMATS = ("%I:%M %p", "%H:%M", "%H:%M:%S")
