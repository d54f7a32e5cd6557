"""Benchmark of the outbox in one process: messages per second, beside the rates of the database and mail server alone.

`python -m tests.benchmarks.hand_over` migrates the empty database at DATABASE_URL, sends through EMAIL_URL and prints
one JSON object of rates.
"""

import json
import sys
import time
import uuid
from datetime import timedelta

import django

MESSAGES, ROUNDS = 40, 6


def main():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.clinic.letters import register_letters

    register_letters()
    letters, reminders = plan_letters(), plan_reminders()
    measured = {
        "claim and commit": (claim_and_commit, letters),
        "make a mail and say it": (say_mails, letters),
        "letters": (hand_over, letters),
        "reminders": (hand_over, reminders),
    }
    seconds = dict.fromkeys(measured, 0.0)
    for number in range(1 + ROUNDS):
        for what, (work, messages) in measured.items():  # in turns, so that a slow minute affects them all
            took = time_of(work, messages)
            seconds[what] += took if number else 0  # the first round is a warm-up
    json.dump({what: MESSAGES * ROUNDS / took for what, took in seconds.items()}, sys.stdout)


def time_of(work, messages) -> float:
    from clinic.outbox.models import Message, State

    unsettled = {"state": State.WAITING, "reason": "", "settled_at": None, "attempts": 0, "first_tried_at": None}
    Message.objects.update(**{**unsettled, "state": State.SENT, "settled_at": NOW})
    Message.objects.filter(pk__in=messages).update(**unsettled)
    began = time.perf_counter()
    assert work() == MESSAGES
    return time.perf_counter() - began


def claim_and_commit() -> int:
    """Claim batches and record each message in its own commit, the least that any outbox on this database must do."""
    from clinic.outbox.models import Message, State
    from clinic.outbox.sending.claims import claim_due_messages
    from clinic.outbox.sending.hand_over import UNLEASED

    done = 0
    while batch := claim_due_messages(now=NOW):
        for claimed in batch:
            token = claimed.message.lease_token
            ours = Message.objects.filter(pk=claimed.message.pk, lease_token=token)
            done += ours.update(state=State.SENT, settled_at=NOW, **UNLEASED)
    return done


def say_mails() -> int:
    """Build each email with Django's classes and send it over one connection, the least that any sender must do."""
    from django.core.mail import mailers

    from clinic.outbox.messages.mail import build_mail
    from clinic.outbox.models import Message, State
    from clinic.practice.models import Clinic
    from tests.clinic.letters import write_letter

    clinic, line = Clinic.objects.current(), mailers.default
    messages = list(Message.objects.filter(state=State.WAITING).select_related("patient"))
    for message in messages:
        line.send_messages([build_mail(message, write_letter(message, NOW), clinic=clinic, now=NOW)])
    line.close()
    return len(messages)


def hand_over() -> int:
    from clinic.outbox.sending.hand_over import send_due_messages

    return send_due_messages(clock=lambda: NOW)


def plan_letters() -> list:
    from clinic.outbox.models import Message
    from tests.factories import MessageFactory, PatientFactory

    letters = MessageFactory.build_batch(MESSAGES, patient=PatientFactory(), due_at=NOW, created_at=NOW)
    for letter in letters:
        letter.subject_id = uuid.uuid4()
        letter.dedupe_key = str(letter.subject_id)
    return [letter.pk for letter in Message.objects.bulk_create(letters)]


def plan_reminders() -> list:
    """Book visits as patients do, and return the keys of MESSAGES last reminders, all due now."""
    from booking.message_kinds.visits.last_reminder import REMINDER_2H
    from clinic.outbox.models import Message
    from tests.factories import ClinicFactory, ServiceFactory
    from tests.world import NINE_ON_TUESDAY, book, make_therapist

    ClinicFactory()
    service = ServiceFactory(minutes=15, start_step_minutes=15, turnover_minutes=0)
    a_day, days = 10, 5
    for number in range(-(-MESSAGES // (a_day * days))):
        therapist = make_therapist(f"Therapist {number}".replace(" ", "-"))
        service.therapists.add(therapist)
        for step in range(a_day * days):
            starts_at = NINE_ON_TUESDAY + timedelta(days=7 * (step // a_day), minutes=15 * (step % a_day))
            book(service, therapist=therapist, starts_at=starts_at, now=NOW, email=f"{uuid.uuid4().hex}@example.com")
    reminders = Message.objects.filter(kind=REMINDER_2H).order_by("pk")[:MESSAGES].values_list("pk", flat=True)
    Message.objects.filter(pk__in=list(reminders)).update(due_at=NOW, next_attempt_at=NOW)
    return list(reminders)


if __name__ == "__main__":
    django.setup()
    from tests.world import NOW

    main()
