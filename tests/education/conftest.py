import pytest
from django.core.cache import cache

from clinic.practice.models import Therapist, User
from tests.factories import TopicFactory


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


@pytest.fixture
def hip(db):
    return TopicFactory(position=1)


@pytest.fixture
def maria(db):
    return Therapist.objects.create(name="Maria Lake", slug="maria", credentials="PT, DPT")


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("erin@clinic.example", name="Erin")


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a folder with one article file, `hip.md`, with the given body."""
    (tmp_path / "topics.toml").write_text('[hip]\nname = "Hip"\n')

    def write(body):
        (tmp_path / "hip.md").write_text(
            '+++\ntitle = "Hip"\ntopic = "hip"\nsummary = "Hips."\nwho_for = ""\nkey_facts = ["One."]\n'
            f'care = "Call {{emergency}}."\nreferences = []\n+++\n{body}\n'
        )
        return tmp_path

    return write
