"""What web, worker and beat do before they serve: wait for the database, and expect a heartbeat from now on.

`manage.py` does none of it: migrations must run first.
"""

import logging
import time

from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.utils import timezone

from clinic.outbox.pulse import note_start

logger = logging.getLogger(__name__)

PAUSE_S = 2


def prepare_process() -> None:
    """Return once this process may serve. Waits for the database as long as it takes, saying so in the log."""
    while True:
        try:
            note_start(now=timezone.now())
            return
        except ProgrammingError:
            logger.warning("the migrations have not run; /ready/ says so until they have")
            return
        except (OperationalError, InterfaceError) as fault:
            reason = str(fault).strip().partition("\n")[0]  # about the connection; no row was touched
            logger.warning("waiting for the database: %s", reason)
            time.sleep(PAUSE_S)
        finally:
            connection.close()  # a process that forks must not share it
