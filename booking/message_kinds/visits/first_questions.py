"""The first reminder to answer the questions before a visit."""

from datetime import timedelta

from booking.messages.buttons import answer_questions
from booking.messages.relevance import has_questions, why_questions_unwanted
from booking.messages.visit_mail import VisitKind
from clinic.outbox.messages.kinds import TemplateText, Timing

INTAKE_3D = "booking_intake_3d"
KIND = VisitKind(
    name=INTAKE_3D,
    title="First reminder of open questions",
    timing=Timing.BEFORE,
    minutes=3 * 24 * 60,
    template=TemplateText(
        "A few questions before your visit {day_word}",
        "Your visit is {day_word} at {time}. Please answer a few questions before it. Your answers help us prepare. You can "
        "stop and continue later.",
    ),
    is_for=has_questions,
    relevance=why_questions_unwanted,
    given_up=timedelta(hours=36),
    respects_quiet_hours=True,
    is_reminder=True,
    buttons=answer_questions,
)
