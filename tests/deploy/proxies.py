"""The proxies of `deploy/`, on their own ports, in front of the site or of a mirror, and slow visitors."""

import contextlib
import datetime as dt
import getpass
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clinic.local.processes.folder import ROOT
from clinic.local.processes.ports import free_port

DEPLOY = ROOT / "deploy"
HOST = "clinic.example"
THREADS = 4


class Server:
    """A process that serves on `port` from its start until its end."""

    port: int
    process: subprocess.Popen

    def run(self, words: list, log: Path, **options) -> None:
        """Start the process and wait until it answers."""
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0, **options
            )
        deadline = time.monotonic() + 30
        while not self.answers():
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{words[0]} does not answer: {log.read_text()}"
            time.sleep(0.05)

    def answers(self) -> bool:
        """Return whether a visitor can connect to it."""
        with contextlib.suppress(OSError), dial(self.port, is_tls=True, timeout=2):
            return True
        return False

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Site(Server):
    """gunicorn with the flags of the unit file, but with one worker and THREADS threads."""

    def __init__(self, folder: Path, database: str):
        self.port = free_port()
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
        environ = os.environ | {"DATABASE_URL": url, "BEHIND_PROXY": "1", "ALLOWED_HOSTS": f"{HOST},127.0.0.1"}
        flags = re.search(r"gunicorn clinic.wsgi (.*)", (DEPLOY / "runclinic-web.service").read_text())[1].split()
        own = {"--bind": f"127.0.0.1:{self.port}", "--workers": "1", "--threads": str(THREADS)}
        flags = [own.get(before, flag) for before, flag in zip(["", *flags], flags, strict=False)]
        words = [sys.executable, "-m", "gunicorn", "clinic.wsgi", *flags]
        self.run(words, folder / "site.log", cwd=ROOT, env=environ)

    def answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask(self.port, "/robots.txt", is_tls=False)[0] == 200
        return False


class Mirror(ThreadingHTTPServer):
    """A server that returns the request's headers and body length as JSON. `heard` lists the requested paths."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.port, self.heard = self.server_port, []


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.heard.append(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        answer = json.dumps({**dict(self.headers), "Body": len(self.rfile.read(length))}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *words):
        """Log nothing."""


@contextlib.contextmanager
def mirror():
    """Run a Mirror."""
    with Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Nginx(Server):
    """`deploy/nginx.conf` inside an nginx.conf like Debian's, with its ports, certificate and folders replaced."""

    def __init__(self, folder: Path, site_port: int, *, replace: dict[str, str]):
        self.folder, self.port = folder, free_port()
        write_certificate(folder)
        (folder / "site.conf").write_text(self._site(site_port, replace))
        (folder / "nginx.conf").write_text(self._around())
        self.run(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], folder / "output.log")

    def _site(self, site_port: int, replace: dict[str, str]) -> str:
        text = (DEPLOY / "nginx.conf").read_text()
        text = re.sub(r"listen (\[::\]:)?80;\n", "", text).replace("listen [::]:443 ssl http2;\n", "")
        text = text.replace(
            "server_name clinic.example;", f"listen 127.0.0.1:{free_port()};\n    server_name other;", 1
        )
        text = text.replace("listen 443", f"listen 127.0.0.1:{self.port}").replace(
            "127.0.0.1:8000", f"127.0.0.1:{site_port}"
        )
        text = re.sub(r"/etc/letsencrypt/live/clinic.example/|/var/log/nginx/", f"{self.folder}/", text)
        for old, new in replace.items():
            assert old in text
            text = text.replace(old, new)
        return text

    def _around(self) -> str:
        built_with = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
        names = [
            name for name in ("client-body", "proxy", "fastcgi", "uwsgi", "scgi") if f"{name}-temp-path" in built_with
        ]
        places = "".join(f"{name.replace('-', '_')}_temp_path {self.folder}/{name};\n" for name in names)
        user = f"user {getpass.getuser()};\n" if os.geteuid() == 0 else ""
        return f"""{user}daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/stock-error.log;
events {{ worker_connections 256; }}
http {{
access_log {self.folder}/stock-access.log;
{places}include {self.folder}/site.conf;
}}"""


class Caddy(Server):
    """`deploy/Caddyfile` on a local port, with a certificate from Caddy's internal CA."""

    def __init__(self, folder: Path, site_port: int, *, replace: dict[str, str]):
        self.folder, self.port = folder, free_port()
        text = (DEPLOY / "Caddyfile").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{site_port}")
        text = text.replace("clinic.example {", f"https://{HOST}:{self.port} {{\n\ttls internal", 1)
        text = text.replace("\n{\n", "\n{\n\tskip_install_trust\n\tauto_https disable_redirects\n", 1)
        for old, new in replace.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "Caddyfile").write_text(text)
        environ = os.environ | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        environ["CADDY_ADMIN"] = f"unix/{folder}/admin.sock"
        words = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
        self.run(words, folder / "output.log", env=environ)


def why_missing(kind: type[Server]) -> str:
    """Return why this machine cannot run a proxy of this kind, or an empty string if it can."""
    if kind is Nginx:
        return "" if shutil.which("nginx") else "no nginx"
    return "" if _caddy_version() >= (2, 8) else "no Caddy 2.8 or newer"


@cache
def _caddy_version() -> tuple[int, ...]:
    if not shutil.which("caddy"):
        return ()
    words = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", words.split()[0])[:2])


def write_certificate(folder: Path) -> None:
    """Write a self-signed certificate for the clinic's host, and its key, to `folder`."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    today = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(today - dt.timedelta(1)).not_valid_after(today + dt.timedelta(1))
    (folder / "fullchain.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(key.private_bytes(*private))


def dial(port: int, *, is_tls: bool, timeout: float = 10) -> socket.socket:
    """Open a connection to `port` of this machine, as a visitor of the clinic's host does."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    if not is_tls:
        return plain
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting.wrap_socket(plain, server_hostname=HOST)


def ask(port: int, path: str, *, is_tls: bool = True, body=None, timeout: float = 10, method: str = "", **headers):
    """Send a request and return (status, headers, text). An iterable `body` is sent in chunks. Raises TimeoutError."""
    connection = http.client.HTTPConnection(HOST)
    connection.sock = dial(port, is_tls=is_tls, timeout=timeout)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method or ("GET" if body is None else "POST"), path, body, named, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


HALF_A_HEAD = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: "
HALF_A_BODY = (  # with the cookie and origin without which Django would not read the body
    f"POST {{path}} HTTP/1.1\r\nHost: {HOST}\r\nCookie: csrftoken={'c' * 32}\r\nOrigin: https://{HOST}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail="
)


@contextlib.contextmanager
def slow_visitors(port: int, paths: list[str], *, is_tls: bool):
    """Connect two visitors for each path: one stops halfway through the headers, the other halfway through the body."""
    with contextlib.ExitStack() as stack:
        visitors = []
        for path in paths:
            for text in (HALF_A_HEAD, HALF_A_BODY.format(path=path)):
                visitor = stack.enter_context(dial(port, is_tls=is_tls))
                visitor.sendall(text.encode())
                visitors.append(visitor)
        yield visitors
