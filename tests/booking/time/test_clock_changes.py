"""Clock changes in twelve zones from 2026 to 2036: slots, reminders and invitations keep their local time.

The tests compute the expected local times themselves. Two libraries parse the invitations.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject

from booking.actions.change import cancel_appointment, move_appointment
from booking.messages.invitation import visit_calendar
from booking.messages.visit_mail import email_context, find_visit_kind
from booking.models import OpeningHours
from booking.schedule.availability import free_slots
from booking.time.opening_hours import change_between
from clinic.outbox.models import Message
from clinic.outbox.text.quiet_hours import QuietHours, is_quiet
from tests.world import NOW, book

pytestmark = pytest.mark.long

ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Santiago",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Casablanca",
    "Asia/Jerusalem",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
]


def changes_of(zone: ZoneInfo) -> list[datetime]:
    """Return the instants at which the UTC offset changes, found by checking every day."""
    found, early = [], datetime(2026, 1, 1, tzinfo=UTC)
    while early.year < 2037:
        late = early + timedelta(days=1)
        if early.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset():
            found.append(change_between(early, late, zone))
        early = late
    return found


def at_wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def parsed(content: bytes) -> tuple:
    """Return (method, uid, sequence, start, end) by the time zone rules in the file. Both libraries must agree."""
    one = icalendar.Calendar.from_ical(content)
    event = one.walk("VEVENT")[0]
    first = (
        str(one["method"]),
        str(event["uid"]),
        int(event["sequence"]),
        event["dtstart"].dt.astimezone(UTC),
        event["dtend"].dt.astimezone(UTC),
    )
    for rules in one.walk("VTIMEZONE"):  # vobject would otherwise reuse the rules of the first file it read
        vobject.icalendar.registerTzid(str(rules["tzid"]), None)
    two = vobject.readOne(content.decode())
    vevent = two.vevent
    second = (
        two.method.value,
        vevent.uid.value,
        int(vevent.sequence.value),
        vevent.dtstart.value.astimezone(UTC),
        vevent.dtend.value.astimezone(UTC),
    )
    assert first == second
    return first


@pytest.mark.parametrize("name", ZONES)
def test_slots_reminders_and_invitations_keep_local_time_around_every_clock_change(clinic, call, meredith, name):
    clinic.time_zone = name
    clinic.minimum_notice_minutes, clinic.horizon_days = 0, 60
    clinic.save()
    call.minutes = call.start_step_minutes = 60
    call.save()
    OpeningHours.objects.all().delete()
    for weekday in range(7):
        OpeningHours.objects.create(therapist=meredith, weekday=weekday, opens=time(9), closes=time(12))
    zone, changes = ZoneInfo(name), changes_of(ZoneInfo(name))
    assert len(changes) >= 20
    quiet = QuietHours(clinic.quiet_from, clinic.quiet_until, zone)
    for number, change in enumerate(changes):
        change_day = change.astimezone(zone).date()
        now = at_wall(change_day - timedelta(days=6), time(9), zone)
        for offset in (-1, 0, 1):
            day = change_day + timedelta(days=offset)
            nine, ten = at_wall(day, time(9), zone), at_wall(day, time(10), zone)
            slots = free_slots(service=call, first_day=day, days=1, now=now, clinic=clinic)
            assert [slot.starts_at for slot in slots] == [nine, ten, at_wall(day, time(11), zone)]
        visit = book(call, starts_at=nine, now=now, name=f"Alice {number}")
        two_days = Message.objects.get(subject_id=visit.pk, kind="booking_reminder_48h").due_at
        assert nine - two_days == timedelta(hours=48)
        near = Message.objects.get(subject_id=visit.pk, kind="booking_reminder_2h").due_at
        assert not is_quiet(near, quiet)
        assert near < nine
        words = email_context(visit, find_visit_kind("booking_reminder_2h"), clinic=clinic, now=near)
        assert words["when"].clock == "9:00 AM"
        assert words["day_word"] == ("today" if near.astimezone(zone).date() == day else "tomorrow")
        method, uid, sequence, start, end = parsed(visit_calendar(appointment=visit, clinic=clinic, now=now))
        assert (method, sequence, start, end) == ("REQUEST", 0, nine, nine + timedelta(hours=1))
        moved = move_appointment(appointment=visit, starts_at=ten, now=now)
        assert parsed(visit_calendar(appointment=moved, clinic=clinic, now=now))[:4] == ("REQUEST", uid, 1, ten)
        gone = cancel_appointment(appointment=moved, now=now)
        assert parsed(visit_calendar(appointment=gone, clinic=clinic, now=now))[:4] == ("CANCEL", uid, 2, ten)


def test_the_therapists_feed_is_read_by_both_libraries(evaluation, clinic, meredith):
    from booking.calendar_feed.feeds import therapist_calendar

    visit = book(evaluation)
    content = therapist_calendar(therapist=meredith, clinic=clinic, now=NOW)
    method, _, _, start, end = parsed(content)
    assert (method, start, end) == ("PUBLISH", visit.starts_at, visit.ends_at)
