"""Running Postgres for root. It refuses user 0, so it gets a user namespace in which root is an ordinary user.

Files stay root's, no user is added and no owner changed, and it works under a folder that only root may enter.
"""

import os
import subprocess
import sys

from clinic.local.refusal import CannotStart

ORDINARY_ID = 1000


def leave_root() -> None:
    """To be called in the child between fork and exec. Does nothing for an ordinary user."""
    if os.geteuid() != 0:
        return
    group = os.getegid()
    os.unshare(os.CLONE_NEWUSER)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{ORDINARY_ID} 0 1"),
        ("gid_map", f"{ORDINARY_ID} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def require_way_out_of_root() -> None:
    """Raises CannotStart where root cannot leave: user namespaces are blocked, or this is not Linux."""
    if os.geteuid() != 0:
        return
    try:
        subprocess.run([sys.executable, "-S", "-c", ""], preexec_fn=leave_root, check=True)
    except (subprocess.SubprocessError, AttributeError):
        raise CannotStart(
            "Postgres refuses to run as root, and this machine blocks user namespaces, which get around that. "
            "Run this as an ordinary user, or set DATABASE_URL to a Postgres of your own."
        ) from None
