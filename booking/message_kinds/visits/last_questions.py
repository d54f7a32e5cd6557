"""The last reminder to answer the questions before a visit."""

from dataclasses import replace
from datetime import timedelta

from booking.message_kinds.visits import first_questions

INTAKE_1D = "booking_intake_1d"
KIND = replace(
    first_questions.KIND,
    name=INTAKE_1D,
    title="Last reminder of open questions",
    minutes=24 * 60,
    given_up=timedelta(hours=2),
)
