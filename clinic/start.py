"""What web, worker and beat do before they serve: wait for the database, and refuse to run without its keys.

`manage.py` does none of it: migrations must run first, and each command that seals a value checks the keys as it does.
"""

import logging
import time

from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from clinic.audit.keys import require_keys
from clinic.outbox.pulse import note_start

logger = logging.getLogger(__name__)

PAUSE_S = 2


def prepare_process() -> None:
    """Return once this process may serve. Waits for the database as long as it takes, saying so in the log.

    Raises KeysLost if ENCRYPTION_KEYS lacks a key in use, or has a wrong one.
    """
    while True:
        try:
            require_keys()
            _note_start()
            return
        except (OperationalError, InterfaceError) as fault:
            reason = str(fault).strip().partition("\n")[0]  # about the connection; no row was touched
            logger.warning("waiting for the database to check the encryption keys: %s", reason)
            time.sleep(PAUSE_S)
        finally:
            connection.close()  # a process that forks must not share it


def _note_start() -> None:
    try:
        note_start(now=timezone.now())
    except ProgrammingError:
        logger.warning("the migrations have not run; /ready/ says so until they have")
