"""Reading the environment: production is the default, and all invalid variables are named at once."""

import os
import re
import subprocess
import sys

import pytest

from clinic.env import (
    LOCAL_ENCRYPTION_KEY,
    LOCAL_SECRET_KEY,
    VARIABLES,
    EmailServer,
    EnvironmentInvalid,
    parse_database_url,
    parse_email_url,
    parse_encryption_keys,
    read_environment,
)
from clinic.local.processes.folder import ROOT
from clinic.service_urls import parse_redis_url, parse_sms_url
from tests.clinic.production import KEY, OLD_KEY, PRODUCTION


def faults_of(environ):
    with pytest.raises(EnvironmentInvalid) as caught:
        read_environment(environ)
    return str(caught.value).splitlines()


def test_environment_is_production_when_not_set():
    environment = read_environment(PRODUCTION)
    assert environment.is_production
    assert environment.allowed_hosts == ("clinic.example", "www.clinic.example")
    assert list(environment.encryption_keys) == ["2026b", "2026a"]


def test_everything_missing_is_named_at_once():
    named = {line.split()[0] for line in faults_of({})}
    assert named == {variable.name for variable in VARIABLES if variable.is_required}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", LOCAL_SECRET_KEY),
        ("DATABASE_URL", "mysql://db/clinic"),
        ("DATABASE_URL", "postgresql://db"),
        ("REDIS_URL", "http://redis"),
        ("ALLOWED_HOSTS", "*"),
        ("SITE_URL", "clinic.example"),
        ("SITE_URL", "https://clinic.example/"),
        ("SITE_URL", "http://clinic.example"),
        ("EMAIL_URL", "mail.example"),
        ("ENCRYPTION_KEYS", "2026a:c2hvcnQ="),
        ("ENCRYPTION_KEYS", KEY),
        ("ENCRYPTION_KEYS", LOCAL_ENCRYPTION_KEY),
        ("ENCRYPTION_KEYS", f"2026a:{KEY},2026a:{OLD_KEY}"),
        ("ENCRYPTION_KEYS", f"2026 a:{KEY}"),
        ("ENCRYPTION_KEYS", f"2026a:{KEY[:-1]}?="),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("REDIS_URL", "redis://redis:6379/0?ssl_cert_reqs=required"),
        ("REDIS_URL", "rediss://redis:6379/0?ssl_cert_req=none"),
        ("REDIS_URL", "rediss://redis:6379/0?ssl_cert_reqs=maybe"),
        ("DATABASE_URL", "postgresql://clinic@db/clinic?sslmod=require"),
        ("DATABASE_URL", "postgresql://clinic@db/clinic?options=-csynchronous_commit%3Doff"),
        ("DATABASE_URL", "postgresql://clinic@db/clinic?sslmode"),
        ("SMS_URL", "twilio://AC:token@16035550100?apo=x"),
        ("SMS_URL", "console:"),
        ("EMAIL_URL", "smtp://mail.example:25?ssl=1"),
        ("EMAIL_URL", "smtp://mail.example:25?tls=1&tls=0"),
        ("EMAIL_URL", "smtps://mail.example?tls=1"),
        ("EMAIL_URL", "postmark://token@api?tls=1"),
        ("BEHIND_PROXY", "ja"),
        ("MAILBOX_DIR", "/var/mail"),
    ],
)
def test_production_refuses_a_bad_value_and_names_the_variable(name, value):
    [fault] = faults_of({**PRODUCTION, name: value})
    assert fault.startswith(name)


@pytest.mark.parametrize("word", ["1", "true", "True", "TRUE", "yes", "Yes", "on", "ON", " on "])
def test_flag_is_on_for_every_usual_spelling_of_yes(word):
    assert read_environment({**PRODUCTION, "BEHIND_PROXY": word}).is_behind_proxy
    assert parse_email_url(f"smtp://post:secret@mail.example:587?tls={word.strip()}").use_tls


@pytest.mark.parametrize("word", ["0", "false", "False", "no", "NO", "off", "Off"])
def test_flag_is_off_for_every_usual_spelling_of_no(word):
    assert not read_environment({**PRODUCTION, "BEHIND_PROXY": word}).is_behind_proxy
    assert not read_environment(
        {**PRODUCTION, "EMAIL_URL": f"smtp://post:secret@mail.example?tls={word}"}
    ).email.use_tls


def test_flag_is_off_when_not_set():
    assert not read_environment(PRODUCTION).is_behind_proxy
    assert not read_environment({**PRODUCTION, "BEHIND_PROXY": ""}).is_behind_proxy


@pytest.mark.parametrize("word", ["ja", "2", "-", "y", "enabled", ""])
def test_unknown_flag_value_is_refused_with_the_parameters_name(word):
    [fault] = faults_of({**PRODUCTION, "EMAIL_URL": f"smtp://post:secret@mail.example:587?tls={word}"})
    assert fault.startswith("EMAIL_URL") and " tls" in fault


@pytest.mark.parametrize("url", ["smtp://post:secret@mail.example:587", "smtp://post:secret@10.0.0.5"])
def test_production_refuses_an_unencrypted_mail_password_unless_tls_is_switched_off(url):
    [fault] = faults_of({**PRODUCTION, "EMAIL_URL": url})
    assert fault.startswith("EMAIL_URL ") and "secret" not in fault
    assert read_environment({**PRODUCTION, "EMAIL_URL": f"{url}?tls=0"}).email.password == "secret"


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.example",  # no password
        "smtp://post:secret@localhost:1025",
        "smtp://post:secret@127.0.0.1:1025",
        "smtp://post:secret@[::1]:1025",
        "smtps://post:secret@mail.example",
    ],
)
def test_production_accepts_a_mail_server_when_no_password_is_sent_unencrypted(url):
    assert read_environment({**PRODUCTION, "EMAIL_URL": url}).email


@pytest.mark.parametrize("character", "/?#")
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("EMAIL_URL", "smtp://post:hush{}hush@mail.example:587"),
        ("EMAIL_URL", "smtp://post:1{}hush@mail.example:587"),
        ("DATABASE_URL", "postgresql://clinic:hush{}hush@db/clinic"),
        ("REDIS_URL", "redis://:hush{}hush@redis:6379/0"),
        ("REDIS_URL", "redis://:1{}hush@redis:6379/0"),
        ("SMS_URL", "twilio://AC:hush{}hush@16035550100"),
    ],
)
def test_password_with_a_character_that_ends_the_host_is_refused_and_not_repeated(name, url, character):
    [fault] = faults_of({**PRODUCTION, name: url.format(character)})
    assert fault.startswith(name)
    assert "hush" not in fault


def test_broker_certificate_is_checked_unless_the_url_says_otherwise():
    assert parse_redis_url("rediss://:p%2Fw@redis:6379/0") == "rediss://:p%2Fw@redis:6379/0?ssl_cert_reqs=required"
    assert parse_redis_url("rediss://redis?ssl_ca_certs=/ca.pem").endswith("ssl_cert_reqs=required")
    assert parse_redis_url("rediss://redis?ssl_cert_reqs=CERT_NONE").endswith("?ssl_cert_reqs=CERT_NONE")
    assert parse_redis_url("redis://redis:6379/0") == "redis://redis:6379/0"


def test_sms_url_requires_a_number():
    assert parse_sms_url("") is None
    assert parse_sms_url("twilio://AC:to%2Fken@+16035550100").sender == "+16035550100"


def test_every_bad_value_is_named_at_once():
    faults = faults_of({**PRODUCTION, "SECRET_KEY": "short", "REDIS_URL": "nowhere", "SITE_URL": "nowhere"})
    assert [fault.split()[0] for fault in faults] == ["SECRET_KEY", "REDIS_URL", "SITE_URL"]


def test_unknown_environment_name_is_refused():
    [fault] = faults_of({**PRODUCTION, "ENVIRONMENT": "prod"})
    assert fault.startswith("ENVIRONMENT ") and "'prod'" in fault


def test_local_requires_only_its_servers():
    environment = read_environment(
        {"ENVIRONMENT": "local", "DATABASE_URL": "postgresql://clinic@/clinic", "REDIS_URL": "redis://127.0.0.1"}
    )
    assert environment.secret_key == LOCAL_SECRET_KEY
    assert environment.site_url == "http://127.0.0.1:8000"


def test_database_url_requires_a_server_or_a_socket():
    assert parse_database_url(PRODUCTION["DATABASE_URL"]) == {
        "NAME": "clinic",
        "USER": "clinic",
        "PASSWORD": "pa ss",
        "HOST": "db",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    assert parse_database_url("postgresql://clinic@/clinic?host=/a%20b/run")["HOST"] == "/a b/run"


def test_email_url_sets_how_tls_starts():
    assert parse_email_url(PRODUCTION["EMAIL_URL"]) == EmailServer("mail.example", 587, "post", "secret", True, False)
    assert parse_email_url("smtps://mail.example") == EmailServer("mail.example", 465, "", "", False, True)
    assert parse_email_url("smtp://mail.example").port == 25


def test_encryption_keys_are_kept_in_order_newest_first():
    assert parse_encryption_keys(f"b:{KEY}, a:{OLD_KEY}") == {"b": b"k" * 32, "a": b"o" * 32}


def test_site_refuses_to_start_in_production_and_names_what_is_missing():
    environ = {name: value for name, value in os.environ.items() if name not in {v.name for v in VARIABLES}}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    for variable in VARIABLES:
        if variable.is_required:
            assert f"{variable.name} is not set" in done.stderr


def test_readme_lists_every_variable():
    readme = (ROOT / "README.md").read_text()
    table = re.search(r"<!-- configuration.*?-->\n(.*?)<!-- end of configuration -->", readme, re.DOTALL)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    assert [(row[0], row[1]) for row in rows] == [(f"`{variable.name}`", variable.meaning) for variable in VARIABLES]
