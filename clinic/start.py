"""What web, worker and beat do before they serve: check the keys as soon as the database is there, and refuse to run
without them. Worker and beat wait for it; the web process says meanwhile that the site is away.

`manage.py` does none of it: migrations must run first, and each command that seals a value checks the keys as it does.
"""

import logging
import os
import threading
import time

from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from clinic.audit.keys import KeysLost, require_keys
from clinic.outbox.sending.heartbeat import note_start
from clinic.practice.models import Clinic
from clinic.practice.people.contact_card import remember_contact

logger = logging.getLogger(__name__)

PAUSE_S = 2
CANNOT_LOAD = 4  # the exit code by which gunicorn's own process ends too, as when the application cannot be loaded

_is_prepared = True  # until `begin_serving` says otherwise: a command or a test shows pages without it
_trying, _tried_at = threading.Lock(), float("-inf")


def prepare_process() -> None:
    """Return once worker or beat may run. Waits for the database as long as it takes, saying so in the log.

    Raises KeysLost if ENCRYPTION_KEYS lacks a key in use, or has a wrong one.
    """
    while not _prepare():
        time.sleep(PAUSE_S)


def begin_serving() -> None:
    """Prepare a web process. While the database is away it serves all the same, so that visitors are told whom to call;
    `finish_preparing` then does the rest. Raises KeysLost as above."""
    global _is_prepared
    _is_prepared = _prepare()


def finish_preparing() -> bool:
    """Whether this web process may show pages. Tries again every PAUSE_S seconds, in one thread at a time, until it may.

    Ends the process if keys are lost.
    """
    global _is_prepared, _tried_at
    if _is_prepared or not _trying.acquire(blocking=False):
        return _is_prepared
    try:
        if not _is_prepared and time.monotonic() - _tried_at >= PAUSE_S:
            _is_prepared, _tried_at = _prepare(), time.monotonic()
        return _is_prepared
    except KeysLost as fault:
        logger.critical("this process ends: %s", fault)
        os._exit(CANNOT_LOAD)
    finally:
        _trying.release()


def _prepare() -> bool:
    """False while the database is away. Raises KeysLost."""
    try:
        require_keys()
        _note_start()
        return True
    except (OperationalError, InterfaceError) as fault:
        reason = str(fault).strip().partition("\n")[0]  # about the connection; no row was touched
        logger.warning("waiting for the database to check the encryption keys: %s", reason)
        return False
    finally:
        connection.close()  # a process that forks must not share it


def _note_start() -> None:
    """Note the first start, and the clinic's name and phone for when the database is away."""
    try:
        note_start(now=timezone.now())
        remember_contact(Clinic.objects.current())
    except ProgrammingError:
        logger.warning("the migrations have not run; /ready/ says so until they have")
