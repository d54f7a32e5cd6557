"""How the rules did: counts by rule and version of what followed from their flags. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

FEW = 10  # findings below which a rule cannot be judged


def format_wait(minutes: int) -> str:
    """Return text like "25 minutes", "3 hours 5 minutes", "6 days 21 hours". From 2 days on, minutes are left out."""
    hours, rest = divmod(minutes, 60)
    days, odd_hours = divmod(hours, 24)
    units = ((days, "day"), (odd_hours, "hour")) if days >= 2 else ((hours, "hour"), (rest, "minute"))
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in units if n) or "0 minutes"


@dataclass(frozen=True)
class Wait:
    """A flag's wait for staff, from `raised_at`. `seen_at` is None while it lasts; `within` is its limit, if any.

    `outcomes` are the codes recorded about it, each once. `finding` is the doctor's newest, or empty.
    """

    rule_id: str
    rule_version: int
    raised_at: datetime
    seen_at: datetime | None = None
    within: timedelta | None = None
    outcomes: frozenset[str] = frozenset()
    finding: str = ""

    @property
    def minutes(self) -> int | None:
        """Whole minutes from raised to seen, never negative; None while not seen."""
        if self.seen_at is None:
            return None
        return max(0, (self.seen_at - self.raised_at) // timedelta(minutes=1))

    def is_due(self, now: datetime) -> bool:
        """Return whether this wait has a limit and has ended or reached it, so that it counts as in time or late."""
        return self.within is not None and (self.seen_at is not None or now - self.raised_at >= self.within)

    @property
    def is_in_time(self) -> bool:
        """Whether it was seen before its limit."""
        return self.seen_at is not None and self.within is not None and self.seen_at - self.raised_at < self.within


@dataclass(frozen=True)
class RuleRecord:
    """The counts of one version of a rule. `in_time` of `due` waits were seen before their limit."""

    rule_id: str
    version: int
    raised: int
    seen: int
    due: int
    in_time: int
    median_minutes: int | None
    outcomes: Mapping[str, int]
    findings: Mapping[str, int]

    @property
    def has_few(self) -> bool:
        """Whether there are too few findings to judge the rule. An unknown finding does not count."""
        return sum(count for code, count in self.findings.items() if code != "unknown") < FEW


def count_waits(waits: Iterable[Wait], *, now: datetime) -> list[RuleRecord]:
    """Return the counts of each rule and version that has a wait, sorted by both."""
    groups: dict[tuple[str, int], list[Wait]] = {}
    for wait in waits:
        groups.setdefault((wait.rule_id, wait.rule_version), []).append(wait)
    return [_count(rule_id, version, groups[rule_id, version], now) for rule_id, version in sorted(groups)]


def _count(rule_id: str, version: int, waits: list[Wait], now: datetime) -> RuleRecord:
    minutes = [wait.minutes for wait in waits if wait.minutes is not None]
    return RuleRecord(
        rule_id=rule_id,
        version=version,
        raised=len(waits),
        seen=len(minutes),
        due=sum(wait.is_due(now) for wait in waits),
        in_time=sum(wait.is_in_time for wait in waits),
        median_minutes=round(median(minutes)) if minutes else None,
        outcomes=Counter(code for wait in waits for code in wait.outcomes),
        findings=Counter(wait.finding for wait in waits if wait.finding),
    )
