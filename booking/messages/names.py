"""Stored names of the message kinds that actions plan. The kinds are defined in `booking.message_kinds`."""

BOOKED, MOVED, CANCELLED = "booking_booked", "booking_moved", "booking_cancelled"
ASKED_TO_MOVE = "booking_asked_to_move"
CLINIC_MOVED, CLINIC_DETAILS = "booking_clinic_moved", "booking_clinic_details"
CLINIC_NEWS = (CLINIC_MOVED, CLINIC_DETAILS)  # their version is the calendar's SEQUENCE, not the visit's version
OFFER, ON_WAIT_LIST, WAIT_STUCK = "booking_offer", "booking_on_wait_list", "booking_wait_stuck"
RETURN_LINK, CONFIRM_ADDRESS = "return_link", "confirm_address"
NOT_COMING, FEED_BROKEN = "staff_not_coming", "staff_feed_broken"
