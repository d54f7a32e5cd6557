"""Run Postgres in a user namespace that maps root to an ordinary user, since it refuses to run as root.

This adds no user and changes no file's owner.
"""

import os
import subprocess
import sys

from clinic.local.processes.refusal import CannotStart

ORDINARY_ID = 1000


def leave_root() -> None:
    """Enter the user namespace. Call between fork and exec. No-op for an ordinary user."""
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
    """Raise CannotStart if this is root and `leave_root` fails: user namespaces are blocked, or this is not Linux."""
    if os.geteuid() != 0:
        return
    try:
        subprocess.run([sys.executable, "-S", "-c", ""], preexec_fn=leave_root, check=True)
    except (subprocess.SubprocessError, AttributeError):
        raise CannotStart(
            "Postgres refuses to run as root, and this machine blocks user namespaces, which get around that. "
            "Run this as an ordinary user, or set DATABASE_URL to a Postgres of your own."
        ) from None
