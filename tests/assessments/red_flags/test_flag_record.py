"""Pages are saved and changed at random: flags follow the table, and every lowering has an audit record."""

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from assessments.intake.responses import pages_asked, save_page, start_published_response
from assessments.models import Flag, StaffAlert
from assessments.questionnaire.enablement import enabled_items, keep_enabled
from assessments.red_flag_rules.evaluation import LEVELS
from clinic.audit.models import AccessEvent
from tests.assessments.answering import QUIET
from tests.assessments.flag_oracle import expect_flags
from tests.world import NOW

pytestmark = pytest.mark.django_db


def draw_answer(chance, item):
    """Draw some options of a question: half the time any, else those of the quiet runner."""
    if not item.options or chance.random() < 0.5:
        return QUIET.get(item.link_id, [])
    codes = [option.code for option in item.options]
    return chance.sample(codes, k=min(len(codes), chance.randint(1, 3))) if item.repeats else [chance.choice(codes)]


@pytest.mark.parametrize("seed", range(6))
def test_flags_follow_every_saved_page_and_each_lowering_is_in_the_audit_log(response, charlie, seed):
    chance, highest, lowered = random.Random(seed), {}, 0
    for step in range(24):
        page = chance.choice(pages_asked(response))
        flags_before = {flag.rule_id: flag for flag in response.flags.all()}
        before = {rule: flag.current_level for rule, flag in flags_before.items()}
        answers = {item.link_id: draw_answer(chance, item) for item in page.walk() if item.is_question}
        save_page(response=response, page=page.link_id, answers=answers, now=NOW + timedelta(minutes=step))

        parsed = response.questionnaire.parsed
        expected = expect_flags(keep_enabled(parsed, response.answers))
        asked = enabled_items(parsed, response.answers)
        for rule, flag in flags_before.items():  # a removed answer lowers no flag
            is_open = any(name in asked and not response.answers.get(name) for name in flag.snapshot)
            if rule not in expected and flag.current_level and is_open:
                expected[rule] = flag.current_level
        flags = {flag.rule_id: flag for flag in response.flags.all()}
        assert {rule: flag.current_level for rule, flag in flags.items() if flag.current_level} == expected
        highest = {
            rule: min(highest.get(rule, "T"), expected.get(rule, "T"), key=LEVELS.index)
            for rule in {*highest, *expected}
        }
        assert {rule: flag.level for rule, flag in flags.items()} == highest  # never deleted, never below its highest
        lowered += sum(is_lower(flags[rule].current_level, than=level) for rule, level in before.items() if level)
        events = AccessEvent.objects.filter(action="U", object_id__in=[str(flag.pk) for flag in flags.values()])
        assert events.count() == lowered
    assert lowered  # otherwise this test would check nothing
    worst = {flag.level for flag in Flag.objects.all()} & {"E", "U"}
    assert set(StaffAlert.objects.values_list("level", flat=True)) >= ({"E"} if "E" in worst else worst)


def is_lower(level, than):
    return not level or LEVELS.index(level) > LEVELS.index(than)


def test_rule_of_a_flag_is_not_readable_in_the_database(response, bob):
    other = start_published_response(questionnaire_slug=response.questionnaire.slug, patient=bob, now=NOW)
    for one in (response, other):
        Flag.objects.create(
            response=one, rule_id="RF16", rule_version=1, level="U", current_level="U", action="24h", raised_at=NOW
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text, t.rule_key FROM assessments_flag t")
        rows = cursor.fetchall()
    assert all("RF16" not in text for text, _ in rows)
    assert len({key for _, key in rows}) == 2, "the same rule looks different on another response"
    assert [flag.rule_id for flag in Flag.objects.all()] == ["RF16", "RF16"]
    assert "RF16" not in str(Flag.objects.first())


def test_rule_raises_one_flag_on_a_response(response):
    fields = {"rule_version": 1, "level": "U", "current_level": "U", "action": "24h", "raised_at": NOW}
    Flag.objects.create(response=response, rule_id="RF16", **fields)
    with pytest.raises(IntegrityError, match="flag_once_per_response_and_rule"):
        Flag.objects.create(response=response, rule_id="RF16", **fields)
