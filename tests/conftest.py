"""Fixtures for all rooms: the clinic, its people and services, and fake external servers."""

from dataclasses import replace

import hypothesis
import pytest
from django.conf import settings as project_settings
from django.db import connection

from clinic.audit import keys
from clinic.env import parse_sms_url
from clinic.outbox.texts import providers as text_providers
from clinic.practice.models import User
from tests.clinic.twilio import ACCOUNT, TOKEN, Twilio
from tests.factories import ArticleFactory, CallFactory, ClinicFactory, PatientFactory, ServiceFactory, UserFactory
from tests.post_office import PostOffice
from tests.world import make_therapist

hypothesis.settings.register_profile("unhurried", deadline=None)  # a test on a slow shared machine should not fail
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let tests with real transactions empty the logs at their end. `tests/clinic/audit/` tests the triggers."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_accessevent DISABLE TRIGGER access_event_is_not_truncated")
        cursor.execute("ALTER TABLE audit_signinevent DISABLE TRIGGER sign_in_event_is_not_truncated")


@pytest.fixture(autouse=True)
def passed_keys(monkeypatch):
    """Ids of the keys that this process may encrypt with, as after a start. Clear it to test the check itself."""
    passed = {next(iter(project_settings.ENCRYPTION_KEYS))}
    monkeypatch.setattr(keys, "_passed_with", passed)
    return passed


@pytest.fixture
def clinic(db):
    return ClinicFactory()


@pytest.fixture
def meredith(clinic):
    return make_therapist()


@pytest.fixture
def evaluation(meredith):
    return ServiceFactory(therapists=[meredith])


@pytest.fixture
def call(meredith):
    return CallFactory(therapists=[meredith])


@pytest.fixture
def front_desk(db):
    return UserFactory(roles=["editor"])  # may open the admin, but sees no patient


@pytest.fixture
def alice(db):
    return PatientFactory(name="Alice Runner", email="alice@example.com", phone="+16035550199")


@pytest.fixture
def bob(db):
    return PatientFactory(name="Bob Walker", email="bob@example.com", phone="+16035550102")


@pytest.fixture
def charlie(db):
    """The therapist, with all permissions in the admin."""
    return User.objects.create_superuser("charlie@example.com", name="Charlie Therapist")


@pytest.fixture
def owner(client, db):
    """Olga, a superuser, signed in with `client`."""
    owner = User.objects.create_superuser("olga@clinic.example", name="Olga Owner")
    client.force_login(owner)
    return owner


@pytest.fixture
def write_article(db):
    """Return a function that creates published articles: `write_article("sore-hip", title="Sore hip")`."""
    return lambda slug="sore-hip", **fields: ArticleFactory(slug=slug, **fields)


@pytest.fixture
def post_office(settings):
    """A real SMTP server, set as the site's mail server."""
    office = PostOffice()
    office.open()
    options = {"host": "127.0.0.1", "port": office.port, "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
    yield office
    office.close()


@pytest.fixture
def twilio(settings, monkeypatch):
    """A fake Twilio server, set as the site's text message provider."""
    server = Twilio()
    url = f"twilio://{ACCOUNT}:{TOKEN}@16035550111?api={server.url}"
    settings.ENV = replace(settings.ENV, texts=parse_sms_url(url))
    monkeypatch.setattr(text_providers, "TIMEOUT_S", 0.5)
    yield server
    server.close()
