"""What the calendar shows of a visit, a hold or a gap: texts, state and links."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from booking.actions.change import is_changeable
from booking.models import Appointment
from booking.models.visit_states import Outcome, State
from booking.schedule.local_time import clinic_time
from booking.week.layout import Lane, Span
from booking.week.reading import Gap, Item
from clinic.practice.models import Clinic, Therapist, User
from clinic.practice.registry.rights import may_see

NO_ID = UUID(int=0)  # placeholder for a visit's key in addresses


@dataclass(frozen=True)
class StateMark:
    """How a state looks: a class for border and pattern, a letter for narrow columns, and the word."""

    css: str
    letter: str
    word: str


HELD, BOOKED = StateMark("is-held", "", "hold"), StateMark("is-booked", "", "booked")
CONFIRMED, WAITING = StateMark("is-confirmed", "C", "confirmed"), StateMark("is-waiting", "W", "waiting")
HERE = StateMark("is-here", "H", "with the therapist")
DONE, UNMARKED = StateMark("is-done", "D", "done"), StateMark("is-unmarked", "?", "did they come?")
MISSED, CANCELED = StateMark("is-missed", "N", "no-show"), StateMark("is-canceled", "X", "canceled")
NOT_COMING = StateMark("is-unmarked", "!", "cannot come")
LEGEND = (CONFIRMED, WAITING, HERE, DONE, UNMARKED, NOT_COMING, MISSED, CANCELED)  # the marks with a letter

SETTLED = {
    State.HELD: HELD,
    State.IN_PROGRESS: HERE,
    State.DONE: DONE,
    State.COMPLETED: DONE,
    State.NO_SHOW: MISSED,
    State.CANCELLED: CANCELED,
}


def mark_of(visit: Appointment, *, now: datetime) -> StateMark:
    """Return the mark of a visit's state. The only place that decides it."""
    if mark := SETTLED.get(visit.state):
        return mark
    if visit.state == State.ARRIVED and visit.ends_at <= now:
        return DONE
    if visit.state == State.ARRIVED or (visit.waiting_since and visit.ends_at > now):
        return WAITING
    if visit.outcome_at(now) == Outcome.UNMARKED:
        return UNMARKED
    if visit.not_coming_at:
        return NOT_COMING
    return CONFIRMED if visit.confirmed_at else BOOKED


def word_of(visit: Appointment, mark: StateMark, clinic: Clinic) -> str:
    """Return the word of `mark`, with the time since when the patient waits or is with the therapist."""
    since = {WAITING: visit.waiting_since, HERE: visit.started_at}.get(mark)
    return f"{mark.word} since {clinic_time(since, clinic).clock}" if since else mark.word


def visit_address(back: str) -> Callable[[UUID], str]:
    """Return a function from a visit's key to its card, which leads back to the block on the calendar at `back`.

    The address is resolved once, because a full week has hundreds of visits.
    """
    query = {"next": f"{back}#visit-{NO_ID}"}
    return partial(_with_id, reverse("admin:booking_appointment_card", args=[NO_ID], query=query))


def _with_id(address: str, pk: UUID) -> str:
    return address.replace(str(NO_ID), str(pk))


@dataclass(frozen=True)
class Rights:
    """What a member of staff may do from the calendar, and which names and notes it shows them."""

    moves: bool
    books: bool
    blocks: bool
    sees_waiting: bool
    sees_notes: bool

    @classmethod
    def of(cls, user: User) -> "Rights":
        """Return the rights of `user`."""
        return cls(
            moves=user.has_perm("booking.change_appointment"),
            books=user.has_perm("booking.add_appointment"),
            blocks=user.has_perm("booking.add_hoursoverride"),
            sees_waiting=may_see(user, ["booking.view_waitlistentry"]),
            sees_notes=may_see(user, ["booking.view_hoursoverride"]),
        )


@dataclass(frozen=True)
class Place:
    """Classes for a place in a column: minutes from its top, length in minutes, lane."""

    css: str

    @classmethod
    def of(cls, span: Span, window: Span, lane: Lane | None = None) -> "Place":
        """Return the place of `span`, cut to `window`. Raises ValueError if it is not in the window."""
        first, last = max(span.first, window.first), min(span.last, window.last)
        css = f"{_minutes_css('at', first - window.first)} {length_css(Span(first, last).minutes)}"
        return cls(css if lane is None else f"{css} lane-{min(lane.number, 5)} of-{min(lane.count, 6)}")

    def __str__(self) -> str:
        return self.css


def length_css(minutes: int) -> str:
    """Return the classes for a length. static/css/calendar-minutes.css has them for up to 25 hours."""
    return _minutes_css("for", minutes)


def _minutes_css(name: str, minutes: int) -> str:
    return f"{name}-h{minutes // 60} {name}-m{minutes % 60}"


@dataclass(frozen=True)
class VisitBlock:
    """A visit or a hold. `prepare` and `turnover` are the classes of their lengths; empty if there is none."""

    visit: Appointment
    place: Place
    prepare: str
    turnover: str
    is_short: bool
    clock: str
    title: str
    service: str
    mark: StateMark
    word: str
    address: str
    is_first: bool  # the visit begins on this day, and not on the one before
    is_movable: bool
    starts: int  # local minutes since midnight
    minutes: int
    step: int

    is_visit = True


@dataclass(frozen=True)
class GapBlock:
    """A gap with links to book a visit or to block its time. `names` is empty for those who may not see the wait list."""

    place: Place
    is_short: bool
    clock: str
    waiting: int
    names: tuple[str, ...]
    book_address: str
    block_address: str

    is_visit = False


SHORT_MINUTES = 25  # a block with one line


@dataclass(frozen=True)
class Blocks:
    """Makes the blocks of one page."""

    window: Span
    clinic: Clinic
    by: User
    rights: Rights
    now: datetime
    address: Callable[[UUID], str]
    back: str  # the address of the calendar

    def block_of(self, item: Item, therapist: Therapist) -> VisitBlock | GapBlock:
        """Return the block of a visit, hold or gap."""
        if isinstance(item.subject, Gap):
            return self._gap(item, item.subject, therapist)
        return self._visit(item, item.subject)

    def _visit(self, item: Item, visit: Appointment) -> VisitBlock:
        before, after = item.visit_span.first - item.span.first, item.span.last - item.visit_span.last
        is_held = visit.status == Appointment.Status.HELD
        start = clinic_time(visit.starts_at, self.clinic)
        until = clinic_time(visit.hold_expires_at, self.clinic).clock if visit.hold_expires_at else ""
        mark = mark_of(visit, now=self.now)
        return VisitBlock(
            visit=visit,
            place=Place.of(item.span, self.window, item.lane),
            prepare=length_css(before) if before else "",
            turnover=length_css(after) if after else "",
            is_short=item.visit_span.minutes <= SHORT_MINUTES,
            clock=start.clock,
            title=f"hold, until {until}" if is_held else visit.patient_name,
            service=visit.service_name,
            mark=mark,
            word=word_of(visit, mark, self.clinic),
            address=self.address(visit.pk),
            is_movable=self.rights.moves and item.is_first and self._can_move(visit),
            is_first=item.is_first,
            starts=start.local.hour * 60 + start.local.minute,
            minutes=item.visit_span.minutes,
            step=visit.step,
        )

    def _can_move(self, visit: Appointment) -> bool:
        return is_changeable(visit, clinic=self.clinic, by=self.by, now=self.now)

    def _gap(self, item: Item, gap: Gap, therapist: Therapist) -> GapBlock:
        start, end = clinic_time(gap.interval.start, self.clinic), clinic_time(gap.interval.end, self.clinic)
        times = {"therapist": therapist.pk, "starts_at": start.typed}
        book, block = reverse("admin:booking_appointment_add"), reverse("admin:booking_hoursoverride_add")
        to_block = times | {"ends_at": end.typed, "back": self.back}
        return GapBlock(
            place=Place.of(item.span, self.window, item.lane),
            is_short=item.span.minutes <= SHORT_MINUTES,
            clock=f"{start.clock} – {end.clock}",
            waiting=len(gap.waiting),
            names=tuple(one.name for one in gap.waiting) if self.rights.sees_waiting else (),
            book_address=f"{book}?{urlencode(times)}" if self.rights.books else "",
            block_address=f"{block}?{urlencode(to_block)}" if self.rights.blocks else "",
        )
