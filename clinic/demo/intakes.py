"""Intake answers of the demo's patients, saved page by page as any patient's, and what staff did about their flags."""

from datetime import datetime, timedelta

from assessments.intake.responses import complete_response, pages_asked, save_page
from assessments.models import Finding, Outcome, Reached, Response
from assessments.red_flags.follow_ups import Done, record_follow_up
from clinic.practice.models import User

CALM: dict[str, list[object]] = {
    "about.age": ["21-49"],
    "rf.leg": ["none"],
    "rf.body": ["none"],
    "rf.move": ["none"],
    "rf.signs": ["none"],
    "loc.map": ["front-hip"],
    "loc.side": ["right"],
    "on.when": ["weeks"],
    "on.mode": ["gradual"],
    "mech": ["none"],
    "agg": ["stairs", "run-fast"],
    "agg.stairs": [3],
    "agg.run-fast": [6],
    "pain.now": [2],
    "pain.worst24": [5],
    "pain.run": [5],
    "pain.morning": [2],
    "run.stopped": ["less"],
    "run.days": [3],
    "run.week_now": ["14"],
    "run.week_before": ["24"],
    "run.longest30": ["9"],
    "run.last_long": ["11"],
    "run.change": ["distance", "hills"],
    "hist": ["hamstring", "back"],
    "hist.bsi": ["no"],
    "comp": ["none"],
    "comp.strength": ["none"],
    "comp.sit": ["over-8"],
    "med.conditions": ["none"],
    "bone.periods": ["no"],
    "bone.fuel": ["no"],
    "goal": ["run-far", "other"],
    "goal.run-far.now": [3],
    "goal.other": ["Run ten miles with my sister in May"],
    "goal.other.now": [2],
    "psy.confidence": [6],
    "psy.worry": [4],
    "psy.hope": ["To know whether I may keep running while it settles."],
    "contact.pref": ["email"],
    "consent.care": [True],
    "call.reason": ["Whether this is something for you, and whether I may run this weekend."],
}

STORIES: dict[str, dict[str, list[object]]] = {
    "front of hip, gradual": {},
    "front of hip, walking hurts": {
        "rf.move": ["walk-groin", "earlier-worse"],
        "loc.map": ["groin"],
        "agg": ["walk", "run-easy"],
        "agg.walk": [4],
        "agg.run-easy": [7],
        "run.change": ["distance", "speed"],
        "hist": ["none"],
        "psy.worry": [8],
    },
    "knee after a race": {
        "loc.map": ["knee"],
        "loc.side": ["left"],
        "comp": ["shins"],
        "on.mode": ["sudden"],
        "on.sudden": ["none"],
    },
    "knee after a race, at first": {
        "loc.map": ["knee"],
        "loc.side": ["left"],
        "comp": ["shins"],
        "on.mode": ["sudden"],
        "on.sudden": ["none"],
        "pain.now": [5],
        "pain.worst24": [8],
        "pain.run": [8],
        "psy.confidence": [3],
    },
    "left half way": {},
}
LEFT_AFTER_PAGES = 2

# For each story of staff's work: how long after the flag, what was done, and whether that settles it.
WORK: dict[str, tuple[tuple[timedelta, Done, bool], ...]] = {
    "reached, ruled out": (
        (timedelta(minutes=25), Done(Reached.PHONE, Outcome.REFERRED, note="Sees a doctor this week."), True),
        (timedelta(days=5), Done(outcome=Outcome.DOCTOR_FOUND, finding=Finding.RULED_OUT), False),
    ),
    "left word, confirmed": (
        (timedelta(minutes=70), Done(Reached.NOT_REACHED, Outcome.LEFT_MESSAGE), False),
        (timedelta(hours=4), Done(Reached.PHONE, Outcome.REFERRED, note="No running until the scan."), True),
        (timedelta(days=7), Done(outcome=Outcome.DOCTOR_FOUND, finding=Finding.CONFIRMED), False),
    ),
}


def fill_intake(*, response: Response, story: str, now: datetime) -> None:
    """Answer the pages of `response` in order, as in `story`, and complete it.

    "left half way" stops after LEFT_AFTER_PAGES and does not complete it.
    """
    answers = CALM | STORIES[story]
    for number, page in enumerate(pages_asked(response), start=1):
        questions = [item.link_id for item in page.walk() if item.is_question and item.link_id in answers]
        save_page(response=response, page=page.link_id, answers={one: answers[one] for one in questions}, now=now)
        if story == "left half way" and number == LEFT_AFTER_PAGES:
            return
    complete_response(response=response, now=now)


def follow_up_flags(*, response: Response, work: str, by: User, now: datetime) -> None:
    """Record what staff member `by` did about each flag of `response`, as in `work`, as far as it is past at `now`."""
    for delay, done, settles in WORK[work]:
        for flag in response.flags.order_by("pk"):
            if (at := flag.waiting_since + delay) < now:
                record_follow_up(versions={flag.pk: flag.version}, done=done, settles=settles, by=by, now=at)
