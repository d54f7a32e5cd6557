"""Checks of the messages that were received during the storm."""

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

from booking.message_kinds.visits.last_reminder import REMINDER_2H
from booking.messages.names import CANCELLED
from booking.models import Appointment
from clinic.outbox.models import SETTLED, State
from clinic.outbox.text.quiet_hours import QuietHours, is_quiet
from clinic.practice.values.dates import format_near_day
from tests.storm.clock import FACTOR, storm_time
from tests.storm.people import storm_messages
from tests.storm.post import weather_of

UNDER_WAY_S = 1  # longest time from the last relevance check until the mail server gets the message
UNWRITTEN_S = 5  # longest time from the mail server's acceptance until it is recorded or the worker is killed


def report(people, office, kills: list[float]) -> dict:
    """Return the findings by name. `kills` are the real timestamps at which workers were killed."""
    rows = {row.message_id: row for row in storm_messages().select_related("patient")}
    visits = Appointment.objects.in_bulk()
    copies = [Judged(copy, rows[copy.message_id], visits, people) for copy in office.copies]
    times_taken = Counter(copy.message_id for copy in office.copies)
    return {
        "messages": len(rows),
        "states": Counter(row.state for row in rows.values()),
        "skipped": Counter(row.reason for row in rows.values() if row.state == State.SKIPPED),
        "failed": Counter(row.reason for row in rows.values() if row.state == State.FAILED),
        "moods": office.moods,
        "changes": people.done,
        "lost": [mid for mid, row in rows.items() if is_lost(row, times_taken[mid])],
        "out of time": [mid for mid, row in rows.items() if ran_out_of_time(mid, row)],
        "duplicates": explain_duplicates(office.copies, kills),
        "after a change": [str(copy) for copy in copies if copy.came_after_change],
        "after the visit": [str(copy) for copy in copies if copy.came_after_visit],
        "in quiet hours": [str(copy) for copy in copies if copy.came_in_quiet_hours],
        "with the wrong day": [str(copy) for copy in copies if copy.says_wrong_day],
    }


class Judged:
    """One received email, with its message row and its visit."""

    def __init__(self, copy, row, visits, people):
        self.copy, self.row, self.visit, self.people = copy, row, visits[row.subject_id], people
        self.zone = ZoneInfo(row.patient.time_zone) if row.patient.time_zone else people.clinic.zone
        # It was rendered just before the SMTP conversation began.
        self.made_about = storm_time(copy.began_at), storm_time(copy.began_at - UNDER_WAY_S)

    def __str__(self):
        return f"{self.row.kind} {self.copy.message_id} at {self.made_about[0]:%a %H:%M:%S}: {self.copy.subject}"

    @property
    def is_of_the_last_version(self) -> bool:
        return self.row.version == self.visit.version

    @property
    def came_after_change(self) -> bool:
        changed_at = self.people.changes.get((self.row.subject_id, self.row.version))
        return changed_at is not None and self.copy.began_at > changed_at + UNDER_WAY_S

    @property
    def came_after_visit(self) -> bool:
        if self.row.kind == CANCELLED or not self.is_of_the_last_version:
            return False
        return self.made_about[0] > self.visit.starts_at + timedelta(seconds=UNDER_WAY_S * FACTOR)

    @property
    def came_in_quiet_hours(self) -> bool:
        clinic = self.people.clinic
        hours = QuietHours(clinic.quiet_from, clinic.quiet_until, self.zone)
        return self.row.kind == REMINDER_2H and all(is_quiet(instant, hours) for instant in self.made_about)

    @property
    def says_wrong_day(self) -> bool:
        if self.row.kind != REMINDER_2H or not self.is_of_the_last_version:
            return False
        words = {format_near_day(self.visit.starts_at, now=instant, zone=self.zone) for instant in self.made_about}
        return not any(f"Your visit {word}," in self.copy.subject for word in words)


def is_lost(row, times_taken: int) -> bool:
    """Return whether the message was never settled, or was recorded as sent but not received."""
    return row.state not in SETTLED or (row.state == State.SENT and not times_taken)


def ran_out_of_time(message_id: str, row) -> bool:
    """Return whether the message was not sent because it became too late. Staff see that it was not sent."""
    if row.state == State.SKIPPED:
        return row.reason in ("too late", "the visit has begun")
    return row.state == State.FAILED and weather_of(message_id) != "refused"


def explain_duplicates(copies, kills: list[float]) -> list[dict]:
    """Return each repeated email (same Message-ID), with the reason why its sender could not know of the first one.

    Either the connection was cut after the first one was accepted, or a worker was killed before it could record that.
    One kill explains one duplicate, because a worker never has more than one email in doubt.
    """
    last, unused, found = {}, sorted(kills), []
    for copy in sorted(copies, key=lambda one: one.taken_at):
        earlier, last[copy.message_id] = last.get(copy.message_id), copy
        if earlier is None:
            continue
        killed_at = next((at for at in unused if -0.5 <= at - earlier.taken_at <= UNWRITTEN_S), None)
        if earlier.was_dropped:
            why = "line cut after taking"
        elif killed_at is not None:
            unused.remove(killed_at)
            why = f"worker killed {killed_at - earlier.taken_at:.1f} s after taking"
        else:
            why = ""
        apart = round(copy.taken_at - earlier.taken_at, 1)
        found.append({"message_id": copy.message_id, "seconds apart": apart, "because": why})
    return found
