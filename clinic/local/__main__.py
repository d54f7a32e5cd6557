"""`python -m clinic.local COMMAND`: what the Makefile calls.

run                the whole site on this machine
test [ARGS…]       pytest on a Postgres and a Valkey of its own
manage [ARGS…]     manage.py on the running site's servers, or on ones started for it
proof              the site as deploy/ runs it in production, until a visit is booked and its email received
check [NAMES…]     everything that can be checked without running the site
reset              delete the local database, broker data and mailbox
"""

import sys
from collections.abc import Callable

from clinic.local import commands, supervisor
from clinic.local.checks import check
from clinic.local.processes.children import StopRequested
from clinic.local.processes.refusal import CannotStart


def proof() -> None:
    from clinic.local.proof.prove import prove  # imported here, so that `make run` does not need requests

    prove()


COMMANDS: dict[str, Callable[..., int | None]] = {
    "run": supervisor.run,
    "test": commands.test,
    "manage": commands.manage,
    "proof": proof,
    "check": check,
    "reset": commands.reset,
}


def main(argv: list[str]) -> int:
    name, *arguments = argv or ["help"]
    if name not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return COMMANDS[name](*arguments) or 0
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except (StopRequested, KeyboardInterrupt):
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
