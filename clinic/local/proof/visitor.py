"""A visitor of the site in production: a browser without scripts. The site is behind a proxy that terminates TLS."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

from clinic.local.processes.refusal import CannotStart

NOT_TYPED = ("checkbox", "radio", "submit", "button", "image", "file")


@dataclass
class Form:
    """A form of a page: its action, the values of its text and hidden inputs, and the actions of its buttons."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    button_actions: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.forms: list[Form] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # a parameter name of html.parser
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self.forms and "name" in given and given.get("type") not in NOT_TYPED:
            self.forms[-1].values[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms and "formaction" in given:
            self.forms[-1].button_actions.append(given["formaction"])


def find(page: requests.Response, pattern: str) -> str:
    """Return the first match of `pattern` in the page. Raises CannotStart if there is none."""
    if not (found := re.search(pattern, page.text)):
        raise CannotStart(f"{page.url} has nothing like {pattern}.")
    return found[0]


def find_form(page: requests.Response, name: str) -> Form:
    """Return the form with a field `name` or a button whose action contains it. Raises CannotStart if there is none."""
    for form in _Forms(page.text).forms:
        if name in form.values or any(name in action for action in form.button_actions):
            return form
    raise CannotStart(f"{page.url} has no form with {name}.")


class _Proxy(HTTPAdapter):
    """The proxy that terminates TLS. Forwards requests for https://`host` unencrypted to `port` of this machine."""

    def __init__(self, port: int, host: str):
        super().__init__()
        self._site, self._server = f"https://{host}", f"http://127.0.0.1:{port}"
        self._headers = {"Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        forwarded = request.copy()
        forwarded.url = (request.url or "").replace(self._site, self._server, 1)
        forwarded.headers.update({**self._headers, **request.headers})
        response = super().send(forwarded, *args, **options)
        response.request, response.url = request, request.url or ""
        return response


class Visitor:
    """A session with `host` on `port` of this machine. `open` and `send` raise HTTPError for a 4xx or 5xx."""

    def __init__(self, port: int, *, host: str):
        self._site = f"https://{host}"
        self._session = requests.Session()
        self._session.trust_env = False  # ignore this machine's proxy settings
        self._session.mount(self._site, _Proxy(port, host))

    def open(self, path: str) -> requests.Response:
        """Return the page at `path`, after any redirects."""
        page = self._session.get(self._site + path, timeout=30)
        page.raise_for_status()
        return page

    def send(self, page: requests.Response, form: Form, *, to: str = "", **typed: str) -> requests.Response:
        """Submit `form` with the `typed` values and return the resulting page. `to` is a button's action."""
        as_browsers_do = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}  # under Referrer-Policy: no-referrer
        values = {**form.values, **typed}
        page = self._session.post(urljoin(page.url, to or form.action), values, headers=as_browsers_do, timeout=30)
        page.raise_for_status()
        return page

    def ask(self, path: str, **headers: str) -> requests.Response:
        """Return the response to a GET, with any status. Does not follow redirects."""
        return self._session.get(self._site + path, headers=headers, timeout=30, allow_redirects=False)
