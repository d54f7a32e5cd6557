"""Rate limits: compared with a naive token bucket, under concurrency, and stored without personal data."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clinic.practice.access import rate_limits
from clinic.practice.access.networks import UNKNOWN, Network
from clinic.practice.access.rate_limits import DAY, HOUR, Limit, Per, delete_expired_rate_limits, mailbox_of, spend
from clinic.practice.models import RateLimit

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MOVES = Limit("moves in tests", Per.VISIT, 3, 10 * MINUTE, "")
MAILS = Limit("mails in tests", Per.MAILBOX, 2, HOUR, "")
FROM_HERE = Limit("acts from a network in tests", Per.NETWORK, 2, HOUR, "")
FORM = Limit("forms in tests", Per.FORM, 1, DAY, "")
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def passes(limit, *subjects, now=NOW, **how) -> bool:
    return not spend((limit, *subjects), now=now, **how).is_over


def allowed(limit, seconds, *, subject) -> list[int]:
    """Return the attempts, in seconds after NOW, that were within the limit."""
    return [second for second in seconds if passes(limit, subject, now=NOW + second * SECOND)]


class Bucket:
    """Token bucket oracle: tokens are added at a steady rate, and each use removes one."""

    def __init__(self, limit):
        self.most, self.every = limit.at_once, int(limit.every.total_seconds())
        self.tokens, self.at = Fraction(limit.at_once), 0

    def take(self, second: int) -> bool:
        self.tokens = min(Fraction(self.most), self.tokens + Fraction(second - self.at, self.every))
        self.at = second
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


limits = st.builds(
    lambda most, seconds: Limit("any limit in tests", Per.VISIT, most, seconds * SECOND, ""),
    st.integers(1, 5),
    st.integers(1, 100),
)
attempts = st.lists(st.integers(0, 60), max_size=30).map(
    lambda steps: [sum(steps[:n]) for n in range(1, len(steps) + 1)]
)


@example(limit=MOVES, seconds=[0, 0, 0, 0, 599, 600, 600, 1200])
@example(limit=MOVES, seconds=[0, 9000, 9000, 9000, 9000, 9000, 9600])
@BOUNDED
@given(limit=limits, seconds=attempts)
def test_spending_agrees_with_a_token_bucket(limit, seconds, db):
    bucket, subject = Bucket(limit), uuid.uuid4()
    assert allowed(limit, seconds, subject=subject) == [second for second in seconds if bucket.take(second)]


@BOUNDED
@given(limit=limits, seconds=attempts)
def test_no_window_allows_more_than_the_burst_and_the_refill(limit, seconds, db):
    went = allowed(limit, seconds, subject=uuid.uuid4())
    every = int(limit.every.total_seconds())
    for first in range(len(went)):
        for last in range(first, len(went)):
            assert last - first + 1 <= limit.at_once + (went[last] - went[first]) // every


@pytest.mark.django_db
def test_idle_subject_regains_the_whole_burst():
    assert allowed(MOVES, [0] * 5, subject="a") == [0] * 3
    later = 30 * 600
    assert allowed(MOVES, [later] * 5, subject="a") == [later] * 3


@pytest.mark.django_db
def test_refusal_gives_the_exact_retry_time_and_costs_nothing():
    for _ in range(3):
        spend((MOVES, "a"), now=NOW)
    for _ in range(10):
        verdict = spend((MOVES, "a"), now=NOW + MINUTE)
        assert (verdict.over, verdict.retry_at) == ({Per.VISIT}, NOW + 10 * MINUTE)
    assert verdict.seconds_left(now=NOW + MINUTE) == 9 * 60
    assert not passes(MOVES, "a", now=verdict.retry_at - timedelta(microseconds=1))
    assert passes(MOVES, "a", now=verdict.retry_at)


@pytest.mark.django_db
def test_rate_limit_does_not_reset_at_midnight():
    before = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    assert passes(MAILS, "a@example.com", now=before) and passes(MAILS, "a@example.com", now=before)
    assert not passes(MAILS, "a@example.com", now=before + 2 * SECOND)
    assert passes(MAILS, "a@example.com", now=before + HOUR)


@pytest.mark.django_db
def test_subjects_and_limits_are_counted_separately():
    assert allowed(MOVES, [0] * 4, subject="a") == allowed(MOVES, [0] * 4, subject="b") == [0] * 3
    assert passes(Limit("another in tests", Per.VISIT, 1, HOUR, ""), "a")


@pytest.mark.django_db
def test_refused_spend_does_not_use_up_other_limits():
    assert passes(MAILS, "a@example.com") and passes(MAILS, "a@example.com")
    for _ in range(5):
        verdict = spend((MOVES, "a"), (MAILS, "a@example.com"), now=NOW)
        assert verdict.over == {Per.MAILBOX}
    assert allowed(MOVES, [0] * 4, subject="a") == [0] * 3


@pytest.mark.django_db
def test_all_exceeded_limits_are_named_with_the_latest_retry_time():
    for _ in range(3):
        spend((MOVES, "a"), now=NOW)
    for _ in range(2):
        spend((MAILS, "a@example.com"), now=NOW)
    verdict = spend((MOVES, "a"), (MAILS, "a@example.com"), now=NOW)
    assert (verdict.over, verdict.retry_at) == ({Per.VISIT, Per.MAILBOX}, NOW + HOUR)


@pytest.mark.django_db
def test_one_form_is_counted_once_and_a_refused_one_not_at_all():
    first, second, third = ((FORM, uuid.uuid4()) for _ in range(3))
    assert all(passes(MAILS, "a@example.com", once=first) for _ in range(5))
    assert passes(MAILS, "a@example.com", once=second)
    assert not passes(MAILS, "a@example.com", once=third)
    assert passes(MAILS, "a@example.com", once=first), "it was let in before"
    assert not passes(MAILS, "a@example.com", once=third, now=NOW + HOUR / 2)
    assert passes(MAILS, "a@example.com", once=third, now=NOW + HOUR)


# Networks


def ipv6(subnet: int) -> Network:
    """Return the network of a household in 2001:db8:1::/48."""
    blocks = (f"2001:db8:1:{subnet:x}::/64", 1), (f"2001:db8:1:{subnet & 0xFF00:x}::/56", 2), ("2001:db8:1::/48", 8)
    return Network(blocks)


@pytest.mark.django_db
def test_changing_subnets_is_limited_by_the_wider_networks():
    assert sum(passes(FROM_HERE, ipv6(0)) for _ in range(10)) == 2
    assert sum(passes(FROM_HERE, ipv6(subnet)) for subnet in range(1, 256)) == 2, "twice a household's in a /56"
    assert sum(passes(FROM_HERE, ipv6(subnet)) for subnet in range(256, 0x10000, 128)) == 12, "eight times in a /48"


@pytest.mark.django_db
def test_household_over_its_limit_leaves_the_limits_of_others_unchanged():
    for _ in range(50):
        spend((FROM_HERE, ipv6(0)), now=NOW)
    assert passes(FROM_HERE, ipv6(0x100))


@pytest.mark.django_db
def test_unknown_networks_share_one_limit():
    assert [passes(FROM_HERE, UNKNOWN) for _ in range(3)] == [True, True, False]


# Mailboxes


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        (" Alice@Example.COM ", "alice@example.com"),
        ("alice+1@example.com", "alice@example.com"),
        ("al.ice@example.com", "al.ice@example.com"),
        ("al.i.ce+x@googlemail.com", "alice@gmail.com"),
        ("+@example.com", "+@example.com"),
    ],
)
def test_mailbox_is_the_same_in_every_spelling(address, mailbox):
    assert mailbox_of(address) == mailbox


# Concurrency


def at_once(acts) -> list:
    """Return the results of `acts`, each run on its own connection, all started at the same instant."""
    outcomes, gate = [], threading.Barrier(len(acts))

    def run(act):
        connection.ensure_connection()
        gate.wait(timeout=30)
        try:
            outcomes.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_limit_of_one_allows_one_when_eight_spend_at_once():
    limit = Limit("one in tests", Per.VISIT, 1, HOUR, "")
    for subject in range(10):
        assert sorted(at_once([lambda n=subject: passes(limit, n)] * 8)) == [False] * 7 + [True]


@pytest.mark.django_db(transaction=True)
def test_sixteen_spends_in_opposite_orders_never_deadlock_or_exceed_the_limits():
    charges = [(MOVES, "a"), (MAILS, "a@example.com"), (FROM_HERE, ipv6(0))]
    acts = [lambda order=order: not spend(*order, now=NOW).is_over for order in (charges, charges[::-1])] * 8
    outcomes = at_once(acts)
    assert (len(outcomes), sum(outcomes)) == (16, 2)


@pytest.mark.django_db(transaction=True)
def test_one_form_is_counted_once_when_sent_eight_times_at_once():
    once = (FORM, uuid.uuid4())
    assert at_once([lambda: passes(MAILS, "a@example.com", once=once)] * 8) == [True] * 8
    assert passes(MAILS, "a@example.com") and not passes(MAILS, "a@example.com")


@pytest.mark.django_db(transaction=True)
def test_spending_inside_a_transaction_raises():
    with pytest.raises(RuntimeError), transaction.atomic():
        spend((MOVES, "a"), now=NOW)
    assert not RateLimit.objects.exists()


# Stored rows


@pytest.mark.django_db
def test_rows_hold_no_address_and_another_secret_key_matches_none(settings):
    spend((MAILS, "alice@example.com"), (FROM_HERE, Network((("192.0.2.7/32", 1),))), now=NOW)
    columns = {field.name: type(field).__name__ for field in RateLimit._meta.fields}
    assert columns == {"key": "UUIDField", "whole_at": "DateTimeField"}
    before = set(RateLimit.objects.values_list("pk", flat=True))
    settings.SECRET_KEY = "another " * 10
    spend((MAILS, "alice@example.com"), now=NOW)
    assert len(set(RateLimit.objects.values_list("pk", flat=True)) - before) == 1


@pytest.mark.django_db
def test_only_rows_with_a_full_budget_are_deleted():
    spend((MOVES, "a"), now=NOW)
    spend((MOVES, "b"), now=NOW + MINUTE)
    assert delete_expired_rate_limits(now=NOW + 10 * MINUTE) == 1
    assert allowed(MOVES, [600] * 4, subject="b") == [600, 600]
    assert delete_expired_rate_limits(now=NOW + DAY) == 1
    assert not RateLimit.objects.exists()


def test_every_limit_has_a_unique_name_and_a_text_for_refusal():
    table = [limit for limit in vars(rate_limits).values() if isinstance(limit, Limit)]
    assert len(table) > 15 and len({limit.name for limit in table}) == len(table)
    assert all(limit.over and limit.at_once >= 1 and limit.every > timedelta(0) for limit in table)
