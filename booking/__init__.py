"""Services, the schedule, visits from booking to outcome, and the messages about them."""
