"""Raise flags for a "not sure" whose follow-up was never answered, for example because the browser was closed.

Without JavaScript the follow-up comes with the next page, so no flag is raised before the patient could answer it. A second
evaluation is planned as a message row, which a sweep finds. It is never sent: it raises the flags of the answers at that
time, and those have their own alerts.
"""

from datetime import datetime, timedelta

from django.db import transaction

from assessments.models import Response
from assessments.questionnaire.enablement import keep_enabled
from assessments.red_flag_rules.evaluation import evaluate
from assessments.red_flags.alerts import alert_staff
from assessments.red_flags.definitions import read_rules
from assessments.red_flags.flags import apply_flags
from clinic.outbox.messages.planning import plan_message
from clinic.outbox.models import Message

SECOND_LOOK = "intake_second_look"  # the row must not show what was answered
ANSWER_WITHIN = timedelta(minutes=15)
USELESS_AFTER = timedelta(days=2)


def plan_second_evaluation(*, response: Response, now: datetime) -> None:
    """Plan a second evaluation of `response` after ANSWER_WITHIN, in the caller's transaction."""
    plan_message(
        kind=SECOND_LOOK,
        subject_id=response.pk,
        version=int(now.timestamp()),
        patient=None,
        due_at=now + ANSWER_WITHIN,
        not_after=now + USELESS_AFTER,
        now=now,
    )


@transaction.atomic
def raise_remaining_flags(message: Message, now: datetime) -> str:
    """Raise the flags of a response by its current answers. Return the reason for which the message is skipped."""
    responses = Response.objects.select_for_update(of=("self",)).select_related("questionnaire")
    response = responses.filter(pk=message.subject_id).first()
    if response is None:
        return "the intake is gone"
    fired = evaluate(read_rules(), keep_enabled(response.questionnaire.parsed, response.answers))
    raised = apply_flags(response=response, fired=fired, now=now)
    alert_staff(response=response, raised=raised, now=now)
    return "evaluated again"  # the row must not show what was answered
