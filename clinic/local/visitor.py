"""A visitor of the site in production: a browser without scripts, behind a proxy that ends TLS."""

import http.client
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from clinic.local.refusal import CannotStart

MOST_REDIRECTS = 5
NOT_TYPED = ("checkbox", "radio", "submit", "button", "image", "file")


@dataclass
class Form:
    """A form of a page: its action, its values, and the actions of its buttons."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    button_actions: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.forms: list[Form] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # the name is html.parser's
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self.forms and "name" in given and given.get("type") not in NOT_TYPED:
            self.forms[-1].values[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms and "formaction" in given:
            self.forms[-1].button_actions.append(given["formaction"])


@dataclass(frozen=True)
class Page:
    path: str
    status: int
    text: str
    headers: http.client.HTTPMessage

    def find(self, pattern: str) -> str:
        """The first match of `pattern` in the page. Raises CannotStart if there is none."""
        if not (found := re.search(pattern, self.text)):
            raise CannotStart(f"{self.path} has nothing like {pattern}.")
        return found[0]

    def form_with(self, name: str) -> Form:
        """The form that has a field or a button to `name`. Raises CannotStart if there is none."""
        for form in _Forms(self.text).forms:
            if name in form.values or any(name in action for action in form.button_actions):
                return form
        raise CannotStart(f"{self.path} has no form with {name}.")


class Visitor:
    """Opens pages and sends forms of `host`, which listens on `port` of this machine; keeps cookies as a browser does."""

    def __init__(self, port: int, *, host: str):
        self.port, self.host = port, host
        self.cookies: dict[str, str] = {}

    def open(self, path: str) -> Page:
        """The page, after any redirects. Raises CannotStart unless it is 200."""
        return self._follow(self.ask("GET", path))

    def send(self, page: Page, form: Form, *, to: str = "", **typed: str) -> Page:
        """Send `form` with what was `typed`, to its own place or `to` another. Raises CannotStart unless a 200 comes of it."""
        values = urlencode({**form.values, **typed})
        return self._follow(self.ask("POST", to or form.action or page.path, values))

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Page:
        """One request and its answer, whatever it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, self._headers(method) | headers)
            answer = connection.getresponse()
            self._keep_cookies(answer.headers.get_all("Set-Cookie", []))
            return Page(path, answer.status, answer.read().decode(), answer.headers)
        except (OSError, http.client.HTTPException) as fault:
            raise CannotStart(f"{method} {path} got no answer: {fault}.") from None
        finally:
            connection.close()

    def _follow(self, page: Page) -> Page:
        for _ in range(MOST_REDIRECTS):
            if page.status not in (301, 302, 303):
                break
            parts = urlsplit(page.headers["Location"])
            page = self.ask("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        if page.status != 200:
            raise CannotStart(f"{page.path} answered {page.status}.")
        return page

    def _headers(self, method: str) -> dict[str, str]:
        headers = {"Host": self.host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":  # as browsers do under Referrer-Policy: no-referrer
            headers |= {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers

    def _keep_cookies(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["secure"] and morsel["path"] == "/":  # else no browser takes a __Host- cookie
                    self.cookies[name] = morsel.value
