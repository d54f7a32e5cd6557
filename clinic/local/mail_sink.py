"""The SMTP server behind /_mail/: accepts every message, relays none, keeps the newest as files.

`python -m clinic.local.mail_sink FD FOLDER` serves the listening socket that it inherits as FD.
"""

import asyncio
import logging
import secrets
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 500  # messages; the oldest go first
LARGEST = 10 * 1024 * 1024  # bytes


class KeepInFolder:
    """An aiosmtpd handler that writes each message to its own file, atomically."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # the name is aiosmtpd's
        keep_message(self.folder, envelope.original_content or b"", recipients=envelope.rcpt_tos, now=datetime.now(UTC))
        return "250 Message kept"


def keep_message(folder: Path, content: bytes, *, recipients: list[str], now: datetime) -> Path:
    """Write `content` to a new .eml file, its envelope's recipients first, and drop the oldest beyond KEPT."""
    name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"  # sorts by time
    unfinished = folder / f"{name}.new"
    unfinished.write_bytes(f"X-Envelope-To: {', '.join(recipients)}\r\n".encode() + content)
    kept = unfinished.rename(folder / f"{name}.eml")
    for oldest in sorted(folder.glob("*.eml"))[:-KEPT]:
        oldest.unlink(missing_ok=True)
    return kept


async def serve(listener: socket.socket, folder: Path) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    handler = KeepInFolder(folder)
    await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True), sock=listener
    )
    await stop.wait()


if __name__ == "__main__":
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it would log addresses
    asyncio.run(serve(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])))
