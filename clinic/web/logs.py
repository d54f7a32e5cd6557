"""What may not stand in a log line: the links that open a patient's visit or answers."""

import logging
import re
import traceback

# Patients' links carry 43 characters of base64; nothing else of ours is that long without a break.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}")


def redact(text: str) -> str:
    """`text` with every long opaque word replaced by `[link]`."""
    return _TOKEN.sub("[link]", text)


class RedactLinks(logging.Filter):
    """Takes patients' links out of messages and their arguments, and drops the request (its form, its headers)."""

    def filter(self, record):
        record.msg, record.args = redact(record.getMessage()), None
        record.__dict__.pop("request", None)
        return True


class QuietFormatter(logging.Formatter):
    """Tracebacks without the exceptions' own words: a database error quotes the row, and the row may be a patient."""

    def formatException(self, exc_info):  # the name is logging's
        _, error, _ = exc_info
        lines = []
        while error is not None:
            lines += [type(error).__qualname__, *traceback.format_tb(error.__traceback__)]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return redact("\n".join(line.rstrip() for line in lines))
