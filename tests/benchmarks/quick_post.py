"""A minimal SMTP server that discards every message, so that a benchmark measures the sender.

`python -m tests.benchmarks.quick_post PORT`
"""

import socket
import sys
from threading import Thread

ANSWERS = {b"EHLO": b"250 quick", b"DATA": b"354 go on", b"QUIT": b"221 goodbye"}
END_OF_MAIL = b"\r\n.\r\n"


def serve(port: int) -> None:
    """Listen until killed."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            line, _ = listener.accept()
            Thread(target=converse, args=(line,), daemon=True).start()


def converse(line: socket.socket) -> None:
    """Serve one connection: one reply to each command and one to each complete email."""
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(b"220 quick\r\n")
    heard, is_mail = b"", False
    while more := line.recv(1 << 16):
        heard += more
        while (end := heard.find(END_OF_MAIL if is_mail else b"\r\n")) >= 0:
            command, heard = heard[:4].upper(), heard[end + len(END_OF_MAIL if is_mail else b"\r\n") :]
            line.sendall((b"250 taken" if is_mail else ANSWERS.get(command, b"250 yes")) + b"\r\n")
            is_mail = not is_mail and command == b"DATA"


if __name__ == "__main__":
    serve(int(sys.argv[1]))
