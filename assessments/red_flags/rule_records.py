"""How the rules did, from all flags and their follow-ups."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from assessments.models import FIRST_REVIEW_WITHIN, Flag, FlagFollowUp
from assessments.red_flag_rules.calibration import RuleRecord, Wait, count_waits


def read_rule_records(*, now: datetime) -> list[RuleRecord]:
    """Return the counts of each rule and version that ever raised a flag, sorted by both. Two queries.

    Decrypts the rule of each flag, and nothing else. A flag that was raised again after staff saw it counts once for
    each time. Flags of erased patients, whose rule was removed, are not counted.
    """
    flags = Flag.objects.with_first_seen().defer("snapshot").order_by()
    waits = (wait for flag in flags.prefetch_related("follow_ups") if flag.rule_id for wait in _waits_of(flag))
    return count_waits(waits, now=now)


def _waits_of(flag: Flag) -> Iterator[Wait]:
    """Yield the flag's waits: each that has a follow-up, and the current one."""
    entries = sorted(flag.follow_ups.all(), key=attrgetter("version"))
    by_wait = {raised_at: list(rows) for raised_at, rows in groupby(entries, attrgetter("raised_at"))}
    for rows in by_wait.values():
        yield _read_wait(flag.rule_id, rows)
    if flag.waiting_since not in by_wait:
        yield Wait(
            rule_id=flag.rule_id,
            rule_version=flag.rule_version,
            raised_at=flag.waiting_since,
            seen_at=getattr(flag, "first_seen_at", None),
            within=FIRST_REVIEW_WITHIN.get(flag.level),
        )


def _read_wait(rule_id: str, rows: list[FlagFollowUp]) -> Wait:
    findings = [row.finding for row in rows if row.finding]
    return Wait(
        rule_id=rule_id,
        rule_version=rows[0].rule_version,
        raised_at=rows[0].raised_at,
        seen_at=rows[0].at,
        within=FIRST_REVIEW_WITHIN.get(rows[0].level),
        outcomes=frozenset(row.outcome for row in rows if row.outcome),
        finding=findings[-1] if findings else "",
    )
