"""Durations in message templates, as staff read and type them."""

import pytest

from clinic.outbox.forms import SpanField
from clinic.outbox.models import LONGEST_MINUTES
from clinic.outbox.text.spans import format_span, read_span


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (60, "1 hour"),
        (90, "90 minutes"),
        (120, "2 hours"),
        (1440, "1 day"),
        (2160, "36 hours"),
    ],
)
def test_span_is_written_in_its_largest_unit_and_read_back(minutes, text):
    assert format_span(minutes) == text
    assert read_span(text) == minutes


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [("120", 120), ("2h", 120), ("2 HOURS", 120), (" 1  day ", 1440), ("45 min", 45), ("1 hr", 60), ("3d", 4320)],
)
def test_span_is_read_in_every_usual_spelling(typed, minutes):
    assert read_span(typed) == minutes
    assert SpanField().clean(typed) == minutes


@pytest.mark.parametrize(
    "typed", ["", "soon", "1.5 hours", "-2 hours", "2 weeks", "1 hour 30 minutes", "9" * 40, "\x00"]
)
def test_other_text_is_not_a_span(typed):
    assert read_span(typed) is None


def test_span_field_shows_text_and_reports_no_change_for_another_spelling():
    field = SpanField()
    assert field.prepare_value(LONGEST_MINUTES) == "90 days"
    assert not field.has_changed(120, "120 minutes")
    assert field.has_changed(120, "1 hour") and field.has_changed(120, "soon")
