"""Text message providers: Twilio, or the terminal for local use. Off unless SMS_URL names one."""

import logging
import sys
import uuid
from typing import Protocol

from django.conf import settings
from django.urls import reverse
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

TIMEOUT_S = 10


class TextRefused(Exception):
    """A permanent refusal by the provider; `code` is its error code."""

    def __init__(self, code: int | None):
        super().__init__("refused by the provider")
        self.status_code = code


class TextUnsure(Exception):
    """The connection broke or timed out, and the provider may have accepted the text. A retry could send it twice."""


class TextProviderAway(OSError):
    """A temporary error: the provider did not accept the text. Retry."""


class TextProvider(Protocol):
    """A provider that sends texts. `send` raises TextRefused, TextUnsure or TextProviderAway."""

    def send(self, *, to: str, text: str, message_id: uuid.UUID) -> None: ...


class TwilioTexts:
    """Twilio's REST API. The log level of Twilio's client is raised so that it does not log texts and numbers."""

    def __init__(self, account: str, token: str, sender: str, api: str = ""):
        quiet = logging.getLogger("twilio.http_client")
        quiet.setLevel(logging.WARNING)
        self.client = Client(account, token, http_client=TwilioHttpClient(timeout=TIMEOUT_S, logger=quiet))
        self.sender = sender
        if api:
            self.client.api.base_url = api

    def send(self, *, to: str, text: str, message_id: uuid.UUID) -> None:
        told_at = settings.SITE_URL + reverse("outbox:twilio_status", args=[message_id])  # for the delivery status
        try:
            self.client.messages.create(to=to, from_=self.sender, body=text, status_callback=told_at)
        except TwilioRestException as error:
            if error.status in (401, 403, 408, 429) or error.status >= 500:
                raise TextProviderAway from None
            raise TextRefused(error.code) from None
        except ConnectTimeout:
            raise TextProviderAway from None
        except NoConnection as error:
            never_began = isinstance(getattr(error.args[0], "reason", None), NewConnectionError)
            raise (TextProviderAway if never_began else TextUnsure) from None
        except RequestException:
            raise TextUnsure from None


class ConsoleTexts:
    """A provider for local use, which prints texts in the terminal."""

    def send(self, *, to: str, text: str, message_id: uuid.UUID) -> None:
        sys.stdout.write(f"[text to {to}] {text}\n")


def has_texts() -> bool:
    """Whether this site sends text messages."""
    return settings.ENV.texts is not None


def text_provider() -> TextProvider:
    """Return the provider that SMS_URL names. Raises TextProviderAway if there is none."""
    texts = settings.ENV.texts
    if texts is None:
        raise TextProviderAway("SMS_URL is not set")
    if texts.provider == "console":
        return ConsoleTexts()
    return TwilioTexts(texts.account, texts.token, texts.sender, texts.api)
