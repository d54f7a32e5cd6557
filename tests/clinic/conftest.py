import pytest

from clinic.outbox.messages import kinds
from tests.clinic import letters


@pytest.fixture
def letter_kinds(monkeypatch):
    """Register the kinds of `letters`, and undo all registrations of message kinds when the test ends."""
    monkeypatch.setattr(kinds, "_kinds", {**kinds._kinds})
    letters.UNWANTED.clear()
    letters.register_letters()
    yield
    letters.UNWANTED.clear()
