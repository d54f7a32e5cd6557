import pytest

from tests.clinic import letters


@pytest.fixture
def letter_kinds():
    letters.UNWANTED.clear()
    letters.register_letters()
    yield
    letters.UNWANTED.clear()
