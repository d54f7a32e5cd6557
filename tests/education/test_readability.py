import pytest

from education.text.readability import count_syllables, find_forbidden, reading_grade


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        *(("the", 1), ("miles", 1), ("asked", 1), ("tired", 1), ("hour", 1), ("true", 1)),
        *(("runner", 2), ("muscles", 2), ("wanted", 2), ("doing", 2), ("science", 2), ("people", 2), ("sometimes", 2)),
        *(("exercise", 3), ("injury", 3), ("idea", 3), ("serious", 3), ("emergency", 4), ("evaluation", 5)),
    ],
)
def test_syllables_are_counted(word, syllables):
    assert count_syllables(word) == syllables


def test_grade_rises_with_long_words_and_long_sentences():
    easy = reading_grade("Your hip hurts. Stop and rest. Then ask.")
    hard = reading_grade(
        "The committee considered the satisfactory implementation of the rehabilitation programme, although several "
        "individuals expressed reservations concerning its responsibilities."
    )
    assert easy < 3
    assert hard > 16


def test_reading_grade_is_0_without_words():
    assert reading_grade("") == 0
    assert reading_grade("12 – 34.") == 0


@pytest.mark.parametrize(
    "prose",
    [
        "You have a strain.",
        "You’ve torn it.",
        "This diagnosis is common.",
        "It will heal in six weeks.",
        "Running is safe.",
        "Stretching prevents injury.",
        "The 10 % rule proves it.",
        "The ten percent rule works.",
        "We guarantee it.",
    ],
)
def test_forbidden_claims_are_found(prose):
    assert len(find_forbidden(prose)) >= 1


def test_prose_without_forbidden_claims_passes():
    prose = "This can be linked with a long run. Your therapist will check. Stop and get seen today."
    assert find_forbidden(prose) == []
