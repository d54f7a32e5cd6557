"""Loopback ports: parse a port number, listen on a port, find a free one, name the process that uses one."""

import contextlib
import socket

import psutil

from clinic.local.processes.refusal import CannotStart


def parse_port(text: str) -> int:
    """Return the port number in `text`. Raises CannotStart if it is not one."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT={text} is not a port; it must be a number from 1 to 65535.")
    return int(text)


def listen(port: int) -> socket.socket:
    """Return a listening socket for the web server to inherit, so that early connections wait instead of failing.

    Raises CannotStart if the port cannot be used. The message names the process that listens there, if known.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except PermissionError:
        listener.close()
        raise CannotStart(f"Only root may listen on port {port}. Choose another: make run PORT=8001") from None
    except OSError:
        listener.close()
        raise CannotStart(
            f"Port {port} is taken{who_listens(port)}. Stop that, or choose another: make run PORT={port + 1}"
        ) from None
    listener.listen(128)
    return listener


def free_port() -> int:
    """Return a port that is free now. Accepted race: another program could take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port: int) -> bool:
    """Whether a connection to the port is accepted."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def who_listens(port: int) -> str:
    """Return text like ` by python3 (process 123)`; empty if unknown, such as for another user's process."""
    with contextlib.suppress(psutil.Error):
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr.port == port and found.pid:
                return f" by {psutil.Process(found.pid).name()} (process {found.pid})"
    return ""
