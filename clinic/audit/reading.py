"""What the current request shows of patients, gathered until its one line in the audit log is written.

`middleware.RecordsReading` opens a `Reading` for each request and writes it. Three sources fill it: the base classes
of the admin (`admin.RecordsAccess`), the pages behind patients' links, and `Patient.from_db`, so that a page that shows
a patient by another way is recorded too.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest

from clinic.audit.models import Who
from clinic.responses.remote_address import recorded_block


class ReadTooLate(Exception):
    """A patient was loaded after the line of the request was written, such as in the middle of a streamed response."""


@dataclass
class Reading:
    """What one request has read so far.

    `noted` are patients that a page names as shown, `loaded` those whose rows were read, `written` those in the `lines`
    that this request has added. `subject` is the model of the rows that the page shows, with the key if it is one row.
    """

    request: HttpRequest
    is_by_link: bool = False
    subject: tuple[str, str] = ("", "")
    noted: set[UUID] = field(default_factory=set)
    loaded: set[UUID] = field(default_factory=set)
    written: set[UUID] = field(default_factory=set)
    lines: int = 0
    is_closed: bool = False

    @property
    def is_by_staff(self) -> bool:
        """Whether this is a page of the admin. Other pages do not read who is signed in."""
        match = self.request.resolver_match
        return match is not None and "admin" in match.app_names and not self.is_by_link

    @property
    def who(self) -> Who:
        """Who acts, if no member of staff is named."""
        return Who.LINK if self.is_by_link else Who.OUTSIDE

    @property
    def page(self) -> str:
        match = self.request.resolver_match
        return match.view_name[:100] if match is not None else ""

    @property
    def network(self) -> str:
        return recorded_block(self.request)

    def unwritten(self) -> set[UUID]:
        """Return the patients whom no line of this request names yet.

        Rows that a form from outside loads, for example to find a patient with a typed name, are not shown.
        """
        shown = self.noted | self.loaded if self.is_by_staff or self.is_by_link else self.noted
        return shown - self.written


_current: ContextVar[Reading | None] = ContextVar("reading", default=None)


def current_reading() -> Reading | None:
    """Return the reading of the current request, or None outside a request."""
    return _current.get()


@contextmanager
def collecting(reading: Reading) -> Iterator[Reading]:
    """Make `reading` the current one."""
    token = _current.set(reading)
    try:
        yield reading
    finally:
        _current.reset(token)


def note_loaded(patient_id: UUID) -> None:
    """Note that the row of a patient was loaded. No-op outside a request. Raises ReadTooLate."""
    reading = _current.get()
    if reading is None:
        return
    if reading.is_closed and patient_id not in reading.written:
        raise ReadTooLate
    reading.loaded.add(patient_id)


def note_shown(patient_ids: Iterable[UUID | None], *, subject: tuple[str, str] = ("", "")) -> None:
    """Note that the current page shows these patients. The first `subject` that is given is kept.

    No-op outside a request.
    """
    if (reading := _current.get()) is not None:
        reading.noted.update(one for one in patient_ids if one is not None)
        reading.subject = reading.subject if reading.subject[0] else subject


def note_link() -> None:
    """Note that the current request is by a patient, whose link was opened. No-op outside a request."""
    if (reading := _current.get()) is not None:
        reading.is_by_link = True
