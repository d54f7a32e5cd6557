"""Plain prose of a Markdown text, and its reading time."""

import pytest

from education.text.prose import count_reading_minutes, plain_paragraphs, plain_prose


@pytest.mark.parametrize(("words", "minutes"), [(0, 1), (199, 1), (500, 2), (2000, 10)])
def test_reading_minutes_are_calculated_from_words(words, minutes):
    assert count_reading_minutes("word " * words) == minutes


def test_prose_omits_marks_tables_and_figures():
    text = "## Head\n\nOne [@a] {strong} **two**.\n\n| x |\n|---|\n| y |\n\n![z](figure:q)\n\n- item"
    assert plain_prose(text).split("\n") == ["Head", "One  two.", "item"]


def test_paragraphs_omit_headings_and_lists():
    text = "## Why?\n\nOne two.\n\n- An item. It is long.\n  - One within.\n\n::: tell Card\nIn a card.\n:::\n\n| x |\n|---|\n| y |\n\nLast."
    assert plain_paragraphs(text).split("\n") == ["One two.", "In a card.", "Last."]
