"""The permissions that what booking shows to staff needs."""

SEES_VISITS, SEES_WAIT_LIST = "booking.view_appointment", "booking.view_waitlistentry"
BOOKS_VISITS = "booking.add_appointment"
CHANGES_WAIT_LIST = "booking.change_waitlistentry"
SEES_SOURCE = "booking.view_source_article"  # the article that a patient came from
