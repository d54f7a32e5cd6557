"""Start-up of web, worker and beat: check the encryption keys once the database responds.

A process exits if a key is missing or wrong. Worker and beat wait for the database. The web process meanwhile responds
that the site is unavailable. `manage.py` skips all of this, since migrations must run first, and commands that encrypt
values check the keys themselves.
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
CANNOT_LOAD = 4  # gunicorn's exit code for an application that fails to load: its main process then exits too

_is_prepared = True  # set to False only by `begin_serving`, since commands and tests need no preparation
_trying, _tried_at = threading.Lock(), float("-inf")


def prepare_process() -> None:
    """Prepare a worker or beat. Waits for the database indefinitely, and logs that.

    Raises KeysLost if ENCRYPTION_KEYS lacks a key in use, or has a wrong one.
    """
    while not _prepare():
        time.sleep(PAUSE_S)


def begin_serving() -> None:
    """Prepare a web process. Raises KeysLost like `prepare_process`.

    Returns even during a database outage, so that visitors get a page with the clinic's phone number. Then
    `finish_preparing` completes the preparation.
    """
    global _is_prepared
    _is_prepared = _prepare()


def finish_preparing() -> bool:
    """Prepare this web process if it is not prepared yet, and return whether it is.

    Retries at most once per PAUSE_S, in one thread at a time. Ends the process if keys are lost.
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
    """Prepare the process and return True, or return False during a database outage. Raises KeysLost."""
    try:
        require_keys()
        _note_start()
        return True
    except (OperationalError, InterfaceError) as fault:
        reason = str(fault).strip().partition("\n")[0]  # a connection error, which names no row
        logger.warning("waiting for the database to check the encryption keys: %s", reason)
        return False
    finally:
        connection.close()  # must not be shared with forked processes


def _note_start() -> None:
    """Record the first start, and keep the clinic's name and phone for an outage of the database."""
    try:
        note_start(now=timezone.now())
        remember_contact(Clinic.objects.current())
    except ProgrammingError:
        logger.warning("the migrations have not run; /ready/ says so until they have")
