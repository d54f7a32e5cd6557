"""Rate limits per network, mailbox, visit, account, patient and form.

Uses the generic cell rate algorithm (GCRA, a leaky bucket stored as one instant). A budget of `at_once` uses refills
one use at a time, at a steady rate, without windows. One row per budget holds the instant at which the budget is full
again, and expires then. A limit has one budget per subject; for a network, one per address block. The key of a row is
a keyed hash, so no address is stored.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from clinic.practice.access.networks import Network
from clinic.practice.batches import BATCH, delete_batch
from clinic.practice.models import RateLimit
from clinic.practice.values.mail_addresses import normalize_address

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Per(StrEnum):
    """The subject that a limit counts by."""

    NETWORK = "network"
    MAILBOX = "mailbox"
    VISIT = "visit"
    ACCOUNT = "account"
    PATIENT = "patient"
    FORM = "form"


@dataclass(frozen=True)
class Limit:
    """A budget of `at_once` uses, refilled by one per `every`. `over` describes what happens when it is used up."""

    name: str
    per: Per
    at_once: int
    every: timedelta
    over: str


SLOW_DOWN = "429: the form comes back as it was filled in, with when to try again and the phone number"
CONFIRM = "the form comes back as it was filled in; a link mailed to the address lets it through"
CALL = "429: the page asks to call"
SILENT = "no mail; the page reads the same"
LAST_LINK = "no mail; the page points to the last one, whose link is still good"
LAST_CODE = "429: no mail; the page points to the newest code, and to the phone"
WAIT = "429: the page says when to try again; the password is not looked at"

# A limit whose name has OWN is for visitors who opened a link from the mailbox. Their actions are counted separately
# from those of strangers.
MAILS = Limit("mails caused by strangers", Per.MAILBOX, 8, 3 * HOUR, CONFIRM)
BOOKINGS = Limit("bookings with an address", Per.MAILBOX, 5, DAY / 5, CONFIRM)  # the clinic sets the number
NETWORK_BOOKINGS = Limit("bookings from a network", Per.NETWORK, 20, DAY / 20, SLOW_DOWN)  # the clinic sets the number
OWN_ACTS = Limit("bookings and entries by a mailbox's owner", Per.MAILBOX, 5, DAY / 5, SLOW_DOWN)  # as BOOKINGS
HOLDS = Limit("holds", Per.NETWORK, 10, 2 * MINUTE, "the form opens without a hold, and books")
JOINS = Limit("wait list entries with an address", Per.MAILBOX, 5, DAY / 5, CONFIRM)  # as BOOKINGS
NETWORK_JOINS = Limit("wait list entries from a network", Per.NETWORK, 20, DAY / 20, SLOW_DOWN)  # as NETWORK_BOOKINGS
RETURN_LINKS = Limit("return links", Per.MAILBOX, 4, 6 * HOUR, SILENT)
RETURN_LINKS_IN_A_ROW = Limit("return links in a row", Per.MAILBOX, 1, 5 * MINUTE, SILENT)
NETWORK_RETURN_LINKS = Limit("return links from a network", Per.NETWORK, 10, 6 * MINUTE, SLOW_DOWN)
CONFIRM_LINKS = Limit("links to confirm an address", Per.MAILBOX, 3, 8 * HOUR, LAST_LINK)
CONFIRM_LINKS_IN_A_ROW = Limit("links to confirm in a row", Per.MAILBOX, 1, 5 * MINUTE, LAST_LINK)
CODES = Limit("codes asked for by a link that was shown", Per.MAILBOX, 4, 6 * HOUR, LAST_CODE)
OWN_CODES = Limit("codes asked for by a mailed link", Per.MAILBOX, 5, 12 * MINUTE, LAST_CODE)
BIRTH_DATES = Limit("birth dates tried for a patient", Per.PATIENT, 4, 6 * HOUR, "the page asks for a code instead")
MOVES = Limit("moves of a visit", Per.VISIT, 6, 4 * HOUR, CALL)
CORRECTIONS = Limit("corrected addresses of a visit", Per.VISIT, 3, 8 * HOUR, CALL)
NETWORK_CHANGES = Limit("changes of visits from a network", Per.NETWORK, 30, HOUR, CALL)
UNDOS = Limit("undone cancellations of a visit", Per.VISIT, 3, 8 * HOUR, CALL)
CHECK_INS = Limit("check-ins that were undone", Per.VISIT, 4, 10 * MINUTE, CALL)
SIGN_INS = Limit("sign-ins at an account from a network", Per.NETWORK, 6, 5 * MINUTE, WAIT)
NETWORK_SIGN_INS = Limit("sign-ins from a network", Per.NETWORK, 20, 2 * MINUTE, WAIT)
ACCOUNT_SIGN_INS = Limit("sign-ins at an account", Per.ACCOUNT, 20, 2 * MINUTE, WAIT)
KNOWN_BROWSER_SIGN_INS = Limit("sign-ins at an account from a known browser", Per.ACCOUNT, 10, 2 * MINUTE, WAIT)
SECOND_STEPS = Limit("codes tried at an account's second step", Per.ACCOUNT, 6, 5 * MINUTE, WAIT)
DAILY_SECOND_STEPS = Limit("codes tried at an account's second step from new browsers", Per.ACCOUNT, 30, DAY / 30, WAIT)
WRONG_CODES = Limit(
    "wrong codes at an account's second step", Per.ACCOUNT, 3, HOUR, "an email tells the account's owner"
)
WRONG_CODE_MAILS = Limit("emails about wrong codes", Per.ACCOUNT, 1, DAY, "no second email within a day")
NETWORK_CHALLENGES = Limit("sign-ins by passkey begun from a network", Per.NETWORK, 30, MINUTE, "429")
RESETS = Limit("password resets of an account", Per.ACCOUNT, 4, 6 * HOUR, SILENT)
NETWORK_RESETS = Limit("password resets from a network", Per.NETWORK, 10, 6 * MINUTE, SLOW_DOWN)

# For `once`: a repeat within this time is a resend of the same form.
SAME_FORM = Limit("one form", Per.FORM, 1, DAY, "it goes through without being counted again")
ONE_TIME_CODE = Limit("one code of an authenticator app", Per.ACCOUNT, 1, 2 * MINUTE, "the code counts as wrong")
SAME_CLICK = Limit("one click", Per.FORM, 1, MINUTE, "it goes through without being counted again")

Charge = tuple  # (limit, subject, …): a subject is a Network or anything with a `str`; several form one key

# Returns a row if the use was within the limit. In both cases the row is locked until the transaction ends.
TAKE = """
    INSERT INTO practice_ratelimit AS budget (key, whole_at) VALUES (%(key)s, %(now)s + %(every)s)
    ON CONFLICT (key) DO UPDATE SET whole_at = greatest(budget.whole_at, %(now)s) + %(every)s
    WHERE budget.whole_at <= %(now)s + %(slack)s
    RETURNING true"""


@dataclass(frozen=True)
class Verdict:
    """The outcome of `spend`: what the exceeded limits count by, and the instant from which none is exceeded."""

    over: frozenset[Per] = field(default_factory=frozenset)
    retry_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return bool(self.over)

    def seconds_left(self, *, now: datetime) -> int:
        """Return the seconds until `retry_at`, at least 1, for a Retry-After header."""
        return max(1, ceil((self.retry_at - now).total_seconds())) if self.retry_at else 1


WITHIN = Verdict()
ANYWHERE = Network((("anywhere", 1),))  # for charges that are not counted by network


def spend(*charges: Charge, now: datetime, once: Charge | None = None) -> Verdict:
    """Spend one use of each limit, all or none. Atomic under concurrency.

    `once` identifies the request itself, such as a form. If it was spent within the time of its limit, returns WITHIN
    and spends nothing (idempotent resend). Call this before the transaction that it guards. Raises RuntimeError inside
    one, since a rollback would return the use, and the rows remain locked until a transaction ends.
    """
    over, retry_at = set(), []
    with transaction.atomic(durable=True):
        if once is not None and any(_take(budget, now) for budget in _budgets([once])):
            return WITHIN
        for budget in sorted(_budgets(charges), key=lambda budget: budget.key):  # one lock order: no deadlock
            if again_at := _take(budget, now):
                over.add(budget.per)
                retry_at.append(again_at)
        if over:
            transaction.set_rollback(True)
    return Verdict(frozenset(over), max(retry_at)) if over else WITHIN


def delete_expired_rate_limits(*, now: datetime, limit: int = BATCH) -> int:
    """Delete at most `limit` expired rows (budgets that are full again). Returns how many."""
    return delete_batch(RateLimit.objects.filter(whole_at__lte=now), limit=limit)


def mailbox_of(email: str) -> str:
    """Return the mailbox of an address, as a rate limit key: in lower case, without +tag.

    For Gmail, also without dots, and always with the domain gmail.com.
    """
    name, _, domain = normalize_address(email).lower().rpartition("@")
    name = name.partition("+")[0] or name
    if domain in ("gmail.com", "googlemail.com"):
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


@dataclass(frozen=True)
class _Budget:
    key: UUID
    per: Per
    at_once: int
    every: timedelta


def _budgets(charges: Iterable[Charge]) -> Iterator[_Budget]:
    """Yield one budget per charge; for a charge to a network, one per address block, larger for a wider block."""
    for limit, *subjects in charges:
        network = next((subject for subject in subjects if isinstance(subject, Network)), ANYWHERE)
        names = [_name(limit, subject) for subject in subjects if subject is not network]
        for block, times in network.blocks:
            yield _Budget(_hash(limit.name, *names, block), limit.per, limit.at_once * times, limit.every / times)


def _name(limit: Limit, subject: object) -> str:
    return mailbox_of(str(subject)) if limit.per == Per.MAILBOX else str(subject).strip().lower()


def _hash(*names: str) -> UUID:
    mac = salted_hmac("clinic.practice.rate_limits", "\n".join(names), algorithm="sha256")
    return UUID(bytes=mac.digest()[:16])


def _take(budget: _Budget, now: datetime) -> datetime | None:
    """Take one use and return None, or return the instant of the next use if none is left."""
    slack = budget.every * (budget.at_once - 1)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"key": budget.key, "now": now, "every": budget.every, "slack": slack}
        cursor.execute(TAKE, values)
        if cursor.fetchone():
            return None
        cursor.execute("SELECT whole_at FROM practice_ratelimit WHERE key = %s", [budget.key])
        return cursor.fetchone()[0] - slack
