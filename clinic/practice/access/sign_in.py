"""Sign-in to the admin. Rate limits are checked before the password is hashed, since a hash takes a second of CPU.

Attempts are limited per network and per account. Browsers that have signed in to the account before share a
separate limit, so that an attacker cannot lock the owner out there. In a new browser the owner has to wait for
minutes, not days.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.practice.access import rate_limits as limits
from clinic.practice.access.networks import network_of
from clinic.practice.access.rate_limits import Verdict, spend
from clinic.practice.models import Clinic, User
from clinic.practice.values.dates import format_instant
from clinic.practice.values.mail_addresses import normalize_address

COOKIE, SALT = "known_browser", "clinic.practice.sign_in"
KNOWN_FOR = timedelta(days=180)


class SignInForm(AdminAuthenticationForm):
    """Django's admin login form, plus rate limits that are checked before the password is hashed.

    If a limit was exceeded, the form is invalid and `verdict` has the time to try again.
    """

    verdict = limits.WITHIN

    def clean(self) -> dict[str, Any]:
        account = self.cleaned_data.get("username")
        if account and self.cleaned_data.get("password") and self.request:
            self.verdict = spend_sign_in(self.request, account, now=timezone.now())
        if self.verdict.is_over:
            raise ValidationError(_describe_wait(self.verdict, now=timezone.now()), code="too_many_tries")
        return super().clean()


def spend_sign_in(request: HttpRequest, account: str, *, now: datetime) -> Verdict:
    """Spend an attempt to sign in to `account`, whether or not the account exists."""
    if _is_known_browser(request, account):
        return spend((limits.KNOWN_BROWSER_SIGN_INS, account), now=now)
    network = network_of(request)
    return spend(
        (limits.SIGN_INS, network, account),
        (limits.NETWORK_SIGN_INS, network),
        (limits.ACCOUNT_SIGN_INS, account),
        now=now,
    )


def finish_sign_in(request: HttpRequest, response: HttpResponse, *, now: datetime) -> HttpResponse:
    """Set the known-browser cookie after a successful sign-in, or status 429 and Retry-After if a limit was exceeded.

    Returns `response`.
    """
    if request.method != "POST":
        return response
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form is None and request.user.is_authenticated:
        secure = request.is_secure()
        options = {"max_age": KNOWN_FOR, "secure": secure, "httponly": True, "samesite": "Lax"}
        response.set_signed_cookie(COOKIE, str(request.user.pk), salt=SALT, **options)
    elif isinstance(form, SignInForm) and form.verdict.is_over:
        response.status_code = 429
        response["Retry-After"] = form.verdict.seconds_left(now=now)
    return response


def _is_known_browser(request: HttpRequest, account: str) -> bool:
    """Whether the last sign-in with this browser was to `account`, within KNOWN_FOR. No query without the cookie."""
    key = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=KNOWN_FOR)
    return key is not None and User.objects.filter(pk=key, email=normalize_address(account).lower()).exists()


def _describe_wait(verdict: Verdict, *, now: datetime) -> str:
    minutes = -(-verdict.seconds_left(now=now) // 60)
    again = format_instant((verdict.retry_at or now) + limits.MINUTE, Clinic.objects.current().zone, now=now)
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"Too many tries. Please wait {wait} and try again after {again}."
