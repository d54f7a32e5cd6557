"""The real proxies of `deploy/`: slow visitors do not block others, large bodies are refused, logs contain no links."""

import contextlib
import http.client
import io
import json
import os
import re
import ssl

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse
from PIL import Image

from clinic.local.processes.ports import free_port
from clinic.outbox.models import Sweep
from education.models import Picture
from tests.deploy.proxies import DEPLOY, THREADS, Caddy, Nginx, Site, ask, dial, mirror, slow_visitors, why_missing
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.long]  # the site uses the test database

TOKEN = "k" * 43
PRIVATE_PATHS = [
    f"/visits/{TOKEN}/",
    f"/intake/{TOKEN}/",
    f"/messages/{TOKEN}/stop/",
    f"/waiting/{TOKEN}/",
    f"/offers/{TOKEN}/",
    f"/again/{TOKEN}/",
    f"/calendars/{TOKEN}/visits.ics",
    f"/book/call/meredith/20261201T1400Z/held/{TOKEN}/",
]
UPLOAD = "/admin/education/picture/add/"
LIMIT = 256 * 1024


@pytest.fixture(scope="module")
def site(tmp_path_factory, django_db_setup, django_db_blocker):
    site = Site(tmp_path_factory.mktemp("site"), connection.settings_dict["NAME"])
    yield site
    site.stop()
    with django_db_blocker.unblock():
        Sweep.objects.all().delete()  # the site committed its start, which no rollback of a test undoes


@pytest.fixture(params=[Nginx, Caddy], ids=["nginx", "caddy"])
def start(request, tmp_path):
    """Return `start(port)`, which starts a proxy in front of the server on `port`.

    `nginx={old: new}` and `caddy={old: new}` replace text in the proxy's configuration first.
    """
    if why := why_missing(request.param):
        if request.param is Nginx and os.environ.get("NGINX_REQUIRED"):
            pytest.fail(why)
        pytest.skip(why)
    started = []

    def start(port, **replace):
        started.append(request.param(tmp_path, port, replace=replace.get(request.param.__name__.lower(), {})))
        return started[-1]

    yield start
    for proxy in started:
        proxy.stop()


def test_slow_visitors_do_not_block_others_behind_a_proxy(start, site):
    proxy = start(site.port)
    paths = ["/again/"] * THREADS + [UPLOAD] * THREADS

    with slow_visitors(proxy.port, paths, is_tls=True):
        for _ in range(3):
            status, _, text = ask(proxy.port, "/robots.txt", timeout=6)  # shorter than the proxy's timeout
            assert (status, "Disallow: /visits/" in text) == (200, True)


def test_slow_visitors_block_others_without_a_proxy(site):
    """Shows why a proxy is needed, and that the test above can fail."""
    with slow_visitors(site.port, ["/again/"] * THREADS, is_tls=False), pytest.raises(TimeoutError):
        ask(site.port, "/robots.txt", is_tls=False, timeout=2)
    assert ask(site.port, "/robots.txt", is_tls=False)[0] == 200


def test_stalled_request_is_dropped_by_the_proxy_and_never_reaches_the_site(start):
    timeouts = {"nginx": {"10s": "1s"}, "caddy": {"read_header 10s": "read_header 1s", "read_body 2m": "read_body 1s"}}
    with mirror() as site:
        proxy = start(site.port, **timeouts)
        with slow_visitors(proxy.port, ["/again/"], is_tls=True) as (in_the_head, in_the_body):
            assert is_ended(in_the_head)
            assert isinstance(proxy, Caddy) or is_ended(in_the_body)  # Caddy drops the request but keeps the connection
        assert ask(proxy.port, "/book/")[0] == 200
        assert site.heard == ["/book/"]


def is_ended(visitor) -> bool:
    """Return whether the server closes the connection before the visitor's timeout, whatever it sends first."""
    try:
        while visitor.recv(4096):
            pass
    except (ConnectionResetError, ssl.SSLError):
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("path", ["/again/", "/messages/mail/mailgun/", UPLOAD])
def test_body_within_the_limit_passes(start, path):
    with mirror() as site:
        proxy = start(site.port)
        status, _, text = ask(proxy.port, path, body=b"x" * LIMIT)
        assert (status, json.loads(text)["Body"]) == (200, LIMIT)


@pytest.mark.parametrize("way", ["by-length", "in-chunks"])
@pytest.mark.parametrize(("path", "limit"), [("/again/", LIMIT), ("/messages/mail/mailgun/", 1 << 20)])
def test_body_over_the_limit_is_refused_in_plain_words(start, site, path, limit, way):
    proxy = start(site.port)

    status, text = push(proxy.port, path, limit + 1, in_chunks=way == "in-chunks")

    assert status == 413
    assert "too large" in text and "nothing was saved" in text.lower()


@pytest.mark.parametrize("way", ["by-length", "in-chunks"])
def test_upload_without_a_login_is_refused_by_the_site_or_the_proxy(start, site, way):
    """The status is None for a closed connection: the site responds before it has read the body, so a proxy that keeps
    sending may lose the response."""
    proxy = start(site.port)
    for size in (LIMIT, 1 << 20, (21 << 20) + 1):
        status, _ = push(proxy.port, UPLOAD, size, in_chunks=way == "in-chunks")
        assert status in (302, 413, 503, None)


@pytest.mark.parametrize("way", ["by-length", "in-chunks"])
def test_site_without_a_proxy_refuses_a_body_over_the_limit(site, way):
    status, text = push(site.port, "/again/", LIMIT + 1, in_chunks=way == "in-chunks", is_tls=False)
    assert (status, "That is too large" in text) == (413, True)


def test_site_without_a_proxy_reads_no_more_than_the_content_length(site):
    form = b"POST /again/ HTTP/1.1\r\nHost: clinic.example\r\nContent-Length: 7\r\n\r\nemail=a"
    with dial(site.port, is_tls=False) as visitor:
        visitor.sendall(form + b"x" * LIMIT)
        answer = http.client.HTTPResponse(visitor)
        answer.begin()
        assert answer.status == 403  # seven bytes of a form without the CSRF token; the rest is not part of the request


def push(port: int, path: str, size: int, *, in_chunks: bool, is_tls: bool = True) -> tuple[int | None, str]:
    """Send `size` bytes to a server that may respond before it has read them. Return (status, text).

    Without a response, return (None, "").
    """
    length = "Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {size}"
    parts = [b"x" * 65536] * (size // 65536) + [b"x" * (size % 65536)]
    if in_chunks:
        parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part] + [b"0\r\n\r\n"]
    with dial(port, is_tls=is_tls) as visitor:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            visitor.sendall(f"POST {path} HTTP/1.1\r\nHost: clinic.example\r\n{length}\r\n\r\n".encode())
            for part in parts:
                visitor.sendall(part)
        answer = http.client.HTTPResponse(visitor)
        try:
            answer.begin()
            return answer.status, answer.read().decode()
        except (ConnectionError, ssl.SSLError, http.client.HTTPException):
            return None, ""


def test_upload_of_staff_passes(start, transactional_db, tmp_path_factory):
    """Uses its own site, because the site of another test would have cached content types that no longer exist."""
    site = Site(tmp_path_factory.mktemp("site"), connection.settings_dict["NAME"])
    try:
        upload(start(site.port))
    finally:
        site.stop()


def upload(proxy):
    photo = make_grainy_photo()
    assert len(photo) > LIMIT
    cookies, token = log_in(proxy.port)
    body, content_type = encode(photo, csrfmiddlewaretoken=token, description="A runner on a hill")

    status, headers, _ = ask(
        proxy.port, UPLOAD, body=body, Content_Type=content_type, Cookie=cookies, Origin="https://clinic.example"
    )

    assert (status, headers["Location"]) == (302, reverse("admin:education_picture_changelist"))
    assert Picture.objects.get().description == "A runner on a hill"


def make_grainy_photo() -> bytes:
    """Return a JPEG file as large as one from a camera."""
    out = io.BytesIO()
    Image.effect_noise((1600, 1200), 90).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def log_in(port: int) -> tuple[str, str]:
    """Return the cookies of a staff member, and the CSRF token of the form for pictures."""
    client = Client()
    client.force_login(UserFactory(is_superuser=True))
    session = f"sessionid={client.cookies['sessionid'].value}"
    _, headers, page = ask(port, UPLOAD, Cookie=session)
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    return f"{session}; {headers['Set-Cookie'].partition(';')[0]}", token


def encode(photo: bytes, **fields) -> tuple[bytes, str]:
    file = SimpleUploadedFile("hill.jpg", photo, "image/jpeg")
    return encode_multipart(BOUNDARY, {**fields, "file": file}), MULTIPART_CONTENT


@pytest.mark.parametrize("start", [Nginx], ids=["nginx"], indirect=True)
def test_nginx_writes_no_body_of_a_visitor_to_disk(start):
    """nginx logs a warning when it writes a body to disk, so this test logs at the level `warn`."""
    with mirror() as site:
        proxy = start(site.port, nginx={" emerg;": " warn;"})
        for path in ("/again/", "/messages/mail/mailgun/"):
            assert ask(proxy.port, path, body=b"x" * LIMIT)[0] == 200
            assert ask(proxy.port, path, body=iter([b"x" * 1024] * 200))[0] == 200
        push(proxy.port, UPLOAD, 4 << 20, in_chunks=False)
        assert "buffered to a temporary file" not in "".join(path.read_text() for path in proxy.folder.glob("*.log"))


def test_logs_contain_no_patient_link(start):
    with mirror() as site:
        proxy = start(site.port)
        for path in PRIVATE_PATHS:
            assert ask(proxy.port, path)[0] == 200
            assert push(proxy.port, path, LIMIT + 1, in_chunks=False)[0] == 413
    proxy.stop()
    assert not logs_with_token(proxy)


def test_logs_contain_no_patient_link_while_the_site_is_down(start):
    proxy = start(free_port())
    for path in PRIVATE_PATHS:
        status, headers, text = ask(proxy.port, path)
        assert (status, headers["Retry-After"]) == (503, "30")
        assert "not made twice" in text
    proxy.stop()
    assert not logs_with_token(proxy)


def test_logs_contain_no_patient_link_without_error_pages(start):
    without_pages = {
        "nginx": {"error_page 502 504": "error_page 599"},
        "caddy": {"handle_errors 413": "handle /none", "handle_errors 502 504": "handle /none-either"},
    }
    proxy = start(free_port(), **without_pages)
    for path in PRIVATE_PATHS:
        assert ask(proxy.port, path)[0] == 502
    proxy.stop()
    assert not logs_with_token(proxy)


def logs_with_token(proxy) -> list[str]:
    logs = {path.name: path.read_text() for path in proxy.folder.glob("*.log")}
    assert logs
    return [name for name, text in logs.items() if TOKEN in text]


def test_forwarded_headers_come_from_the_proxy_alone(start):
    with mirror() as site:
        proxy = start(site.port)
        lies = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example"}
        for path in ("/", UPLOAD, "/messages/mail/mailgun/"):
            told = json.loads(ask(proxy.port, path, **lies)[2])
            assert told["X-Forwarded-For"].rpartition(",")[2].strip() == "127.0.0.1"
            assert told["X-Forwarded-Proto"] == "https"
            assert told["Host"].partition(":")[0] == "clinic.example"
            assert "evil.example" not in told.values()


# The files themselves


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_larger_bodies_pass_only_on_urls_where_the_site_accepts_them(name, settings):
    text = (DEPLOY / name).read_text()
    uploads = re.compile(re.search(r"\^/admin/\S+", text)[0])
    routes = {
        "admin:education_picture_add": [],
        "admin:education_article_add": [],
        "admin:education_article_change": ["5b3c1f6e-0000-4000-8000-000000000000"],
        "admin:education_article_preview": [],
        "admin:assessments_questionnaire_upload": [],
    }
    assert routes.keys() | {"outbox:mailgun", "outbox:postmark"} == settings.BODY_LIMITS.keys()
    assert all(uploads.match(reverse(route, args=args)) for route, args in routes.items())
    for other in ("admin:index", "admin:login", "admin:education_picture_changelist", "booking:return"):
        assert not uploads.match(reverse(other))
    for route in ("outbox:mailgun", "outbox:postmark"):
        assert reverse(route).startswith("/messages/mail/") and "/messages/mail/" in text
