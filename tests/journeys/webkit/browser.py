"""Start WebKitGTK's browser by its WebDriver, on a screen of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver
from selenium.common import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as are
from selenium.webdriver.support.ui import Select, WebDriverWait
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

from clinic.demo import login

PROGRAMS = {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}  # and Debian's package of each
SECONDS = 10  # for an answer of the driver
STARTS = 3  # of a browser: one can hang
# The driver does not wait for a page that scrolls smoothly. WebKit takes this as a wish for reduced motion.
STILL = "[Settings]\ngtk-enable-animations=0\n"
# The browser's own toolbar would not let its window be as narrow as a phone.
NARROW = "entry, button { margin: 0; border: 0; padding: 0; min-width: 0; font-size: 1px; }"


def missing_packages() -> list[str]:
    """Return the Debian packages that are missing here."""
    return [package for program, package in PROGRAMS.items() if not shutil.which(program)]


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """Start an X server on a free display and yield the display's name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1200x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as number:
            yield f":{int(number.readline())}"
    finally:
        server.terminate()
        server.wait()


def environment(display: str, home: Path) -> dict[str, str]:
    """Return the environment of a browser of New York that leaves nothing outside of `home`."""
    settings = home / ".config" / "gtk-3.0"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "gtk.css").write_text(NARROW)
    (settings / "settings.ini").write_text(STILL)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "WAYLAND_", "DBUS_"))}
    return {**kept, "DISPLAY": display, "HOME": str(home), "TZ": "America/New_York", "NO_AT_BRIDGE": "1"}


class Browser(webdriver.Remote):
    """A WebKit browser on the site at `site`, with the steps that the journeys share. Finding an element waits for it."""

    site: str
    service: Service

    def open(self, path: str) -> None:
        self.get(self.site + path)

    def log_in(self, *, email: str = login.EMAIL) -> None:
        """Sign in, by default as the demo's therapist, which ends on Today."""
        self.open("/admin/")
        self.fill("#id_login", email)
        self.fill("#id_password", login.PASSWORD)
        self.follow(self.one("#login-form [type=submit]"))

    def one(self, css: str) -> WebElement:
        return self.find_element(By.CSS_SELECTOR, css)

    def count(self, css: str) -> int:
        """Return how many elements the page has now."""
        return self.execute_script("return document.querySelectorAll(arguments[0]).length", css)

    def named(self, name: str, within: str = "body") -> WebElement:
        """Return the first shown link, button, summary or label in `within` whose text begins with `name`."""
        script = """
          const text = (one) => (one.localName === "input" ? one.value : one.textContent).trim().replace(/\\s+/g, " ");
          return [...document.querySelectorAll(`${arguments[0]} :is(a, button, summary, label, [type=submit])`)]
            .find((one) => one.checkVisibility() && !one.matches("[aria-hidden=true]") && text(one).startsWith(arguments[1]))"""
        return self.until(lambda: self.execute_script(script, within, name), f"no “{name}” in {within}")

    def until(self, condition, message: str = ""):
        """Return the first true value of `condition`."""
        return WebDriverWait(self, SECONDS).until(lambda _: condition(), message)

    def follow(self, element: WebElement) -> None:
        """Press a link or button and wait for the next page."""
        with self.next_page():
            element.click()

    @contextlib.contextmanager
    def next_page(self) -> Iterator[None]:
        page = self.one("html")
        yield
        WebDriverWait(self, SECONDS).until(are.staleness_of(page), "the page did not change")

    def fill(self, css: str, text: str) -> None:
        field = self.one(css)
        field.clear()
        field.send_keys(text)

    def pick_date(self, css: str, value: str) -> None:
        """Set a date field as its picker does, which belongs to the browser and is out of a driver's reach."""
        script = """
          arguments[0].value = arguments[1];
          for (const kind of ["input", "change"]) arguments[0].dispatchEvent(new Event(kind, {bubbles: true}))"""
        self.execute_script(script, self.one(css), value)

    def answer(self, question: str) -> None:
        """Answer a question of the intake by its last choice, or with a number or a word."""
        field = self.find_elements(By.NAME, question)[-1]
        if field.get_attribute("type") in ("radio", "checkbox"):
            field.find_element(By.XPATH, "ancestor::label[1]").click()
        else:
            field.send_keys("3")

    def choose(self, css: str, option: str) -> None:
        Select(self.one(css)).select_by_visible_text(option)

    def close_all(self) -> None:
        """End the browser and its driver, also if they no longer answer."""
        with contextlib.suppress(HTTPError, WebDriverException):
            self.quit()
        stop(self.service)


def open_browser(site: str, env: dict[str, str], *, proxy: str) -> Browser:
    """Start a driver and its browser, which asks `proxy` for every host but this one. A start that hangs is repeated."""
    options = Options()
    options.add_argument("--automation")
    ways = {"proxyType": "manual", "httpProxy": proxy, "sslProxy": proxy, "noProxy": ["localhost", "127.0.0.1"]}
    options.set_capability("proxy", ways)
    for left in reversed(range(STARTS)):
        service = Service(env=env, popen_kw={"start_new_session": True})
        try:
            service.start()
            config = ClientConfig(remote_server_addr=service.service_url, timeout=SECONDS)
            browser = Browser(RemoteConnection(client_config=config), options=options)
            break
        except (HTTPError, WebDriverException):
            stop(service)
            if not left:
                raise
    browser.site, browser.service = site, service
    browser.implicitly_wait(5)
    return browser


def stop(service: Service) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(service.process.pid, signal.SIGKILL)  # the driver, the browser and its processes
    service.process.wait()


class NoWayOut:
    """A proxy that notes the first line of each request, and answers none."""

    def __init__(self):
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.setblocking(False)
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"

    def close(self) -> list[str]:
        """Stop listening and return what was asked for."""
        asked = []
        with self._door, contextlib.suppress(BlockingIOError):
            while True:
                visitor, _ = self._door.accept()
                with visitor:
                    visitor.settimeout(1)
                    asked.append(visitor.recv(200).decode(errors="replace").partition("\r\n")[0])
        return asked
