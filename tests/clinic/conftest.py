import pytest

from clinic.outbox.messages import kinds
from tests.clinic import letters


@pytest.fixture
def letter_kinds(monkeypatch):
    """Register the message kinds of `letters`, and whatever else the test registers, until the test ends."""
    monkeypatch.setattr(kinds, "_kinds", {**kinds._kinds})
    letters.UNWANTED.clear()
    letters.register_letters()
    yield
    letters.UNWANTED.clear()
