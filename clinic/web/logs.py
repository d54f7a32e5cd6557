"""Log redaction: removes patients' links, requests, and the exception messages of tracebacks."""

import logging
import re
import traceback
from typing import Any

# Patients' links contain 43 characters of base64. No other unbroken value in the logs is that long.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}")


def redact(text: str) -> str:
    """Replace every string in `text` that may be a link's token by `[link]`."""
    return _TOKEN.sub("[link]", text)


class RedactLinks(logging.Filter):
    """Redact patients' links in messages and arguments, and remove the request (its form, its headers)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        record.__dict__.pop("request", None)
        return True


class QuietFormatter(logging.Formatter):
    """Format tracebacks without exception messages. A database error quotes the row, which may be a patient's."""

    def formatException(self, ei: Any) -> str:  # the name is from logging
        error: BaseException | None = ei[1]
        lines: list[str] = []
        while error is not None:
            lines += [type(error).__qualname__, *traceback.format_tb(error.__traceback__)]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return redact("\n".join(line.rstrip() for line in lines))
