"""Log lines: links and patient data are removed."""

import logging
import secrets
import sys

from clinic.web.logs import QuietFormatter, RedactLinks, redact


def test_link_is_redacted_when_a_path_contains_one():
    token = secrets.token_urlsafe(32)

    assert redact(f"Not Found: /visits/{token}/cancel/") == "Not Found: /visits/[link]/cancel/"


def test_line_is_unchanged_when_it_has_only_identifiers():
    line = "message 0b9f2c3a-3d5e-4a7a-9b1e-2f6d1c0a9e77 sent in 32 ms"

    assert redact(line) == line


def test_filter_redacts_a_link_in_the_arguments_and_drops_the_request():
    token = secrets.token_urlsafe(32)
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Gone: %s", (f"/intake/{token}/",), None)
    record.request = object()

    assert RedactLinks().filter(record)
    assert record.getMessage() == "Gone: /intake/[link]/"
    assert not hasattr(record, "request")


def test_traceback_leaves_out_the_error_text_when_it_quotes_a_patient():
    patient = "".join(("wal", "ter"))  # tracebacks contain source lines, so no line may contain the name
    try:
        try:
            raise ValueError(f"Key (email)=({patient}@example.com) already exists.")
        except ValueError as inner:
            raise RuntimeError(f"while registering {patient}") from inner
    except RuntimeError:
        written = QuietFormatter().formatException(sys.exc_info())

    assert "RuntimeError" in written and "ValueError" in written and __file__ in written
    assert patient not in written
