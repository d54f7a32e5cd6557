"""Limits on sign-in. They are checked before the password is hashed, since a hash takes a second of CPU.

Attempts are limited per network and per account. Browsers that have signed in to the account before share a
separate limit, so that an attacker cannot lock the owner out there. In a new browser the owner has to wait for
minutes, not days.
"""

from datetime import datetime, timedelta

from allauth.core.internal.cryptokit import normalize_user_code
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.access import rate_limits as limits
from clinic.practice.access.networks import network_of
from clinic.practice.access.rate_limits import Verdict, spend
from clinic.practice.models import Clinic, User
from clinic.practice.values.dates import format_instant
from clinic.staff.links import find_account

COOKIE, SALT = settings.COOKIE_PREFIX + "known_browser", "clinic.practice.sign_in"
KNOWN_FOR = timedelta(days=180)
MOST_ACCOUNTS = 5  # that one browser is known to
THROTTLED = "throttled"


def check_password_limits(request: HttpRequest, account: str, *, now: datetime) -> None:
    """Spend an attempt at the password of `account`, whether or not the account exists.

    Raises ValidationError if a limit is exceeded. The response then gets status 429 (`finish_throttled`).
    """
    if is_known_browser(request, account):
        verdict = spend((limits.KNOWN_BROWSER_SIGN_INS, account), now=now)
    else:
        network = network_of(request)
        verdict = spend(
            (limits.SIGN_INS, network, account),
            (limits.NETWORK_SIGN_INS, network),
            (limits.ACCOUNT_SIGN_INS, account),
            now=now,
        )
    _refuse(request, verdict, user=find_account(account) if verdict.is_over else None, now=now)


def check_passkey_limits(request: HttpRequest, *, now: datetime) -> None:
    """Spend an attempt to sign in by passkey. Raises ValidationError as `check_password_limits` does."""
    _refuse(request, spend((limits.NETWORK_SIGN_INS, network_of(request)), now=now), user=None, now=now)


def check_code_limits(request: HttpRequest, user: User, *, now: datetime) -> None:
    """Spend an attempt at a code of `user`. Raises ValidationError as `check_password_limits` does.

    Known browsers have a budget of their own: someone with a stolen password cannot lock the owner out. All others
    together are also limited by the day, so that a code cannot be guessed slowly.
    """
    if is_known_browser(request, user.email):
        verdict = spend((limits.SECOND_STEPS, user.pk, "known"), now=now)
    else:
        verdict = spend((limits.SECOND_STEPS, user.pk), (limits.DAILY_SECOND_STEPS, user.pk), now=now)
    _refuse(request, verdict, user=user, now=now)


def is_mail_due_about_codes(user: User, *, now: datetime) -> bool:
    """Note a wrong code of `user`. Whether to email them: several within hours, at most one email a day."""
    if not spend((limits.WRONG_CODES, user.pk), now=now).is_over:
        return False
    return not spend((limits.WRONG_CODE_MAILS, user.pk), now=now).is_over


def is_code_fresh(user: User, code: str, *, now: datetime) -> bool:
    """Whether this code of an authenticator app is used for the first time. All processes share the answer."""
    return not spend((limits.ONE_TIME_CODE, user.pk, normalize_user_code(code)), now=now).is_over


def finish_throttled(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give the response to a throttled attempt status 429 and a Retry-After header. Returns `response`."""
    seconds = getattr(request, "throttled_for_s", 0)
    if seconds and response.status_code == 200:
        response.status_code = 429
        response["Retry-After"] = str(seconds)
    return response


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Set the cookie by which this browser is known to `user`, besides its last other accounts."""
    others = [key for key in _known_accounts(request) if not key.startswith(f"{user.pk}:")]
    response.set_signed_cookie(
        COOKIE,
        ".".join([_key_of(user), *others[: MOST_ACCOUNTS - 1]]),
        salt=SALT,
        max_age=KNOWN_FOR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def is_known_browser(request: HttpRequest, account: str) -> bool:
    """Whether this browser has signed in to `account` within KNOWN_FOR, by its present password.

    No query without the cookie.
    """
    keys = _known_accounts(request)
    user = find_account(account) if keys else None
    return user is not None and _key_of(user) in keys


def _key_of(user: User) -> str:
    """Return what a browser's cookie says of `user`: a new password makes it unknown."""
    return f"{user.pk}:{salted_hmac(SALT, user.password, algorithm='sha256').hexdigest()[:16]}"


def _known_accounts(request: HttpRequest) -> list[str]:
    cookie = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=KNOWN_FOR)
    return [key for key in (cookie or "").split(".") if key]


def _refuse(request: HttpRequest, verdict: Verdict, *, user: User | None, now: datetime) -> None:
    if not verdict.is_over:
        return
    request.throttled_for_s = verdict.seconds_left(now=now)  # type: ignore[attr-defined]
    # One line a minute for each network: refused attempts are not limited, and the log is never shortened.
    if not spend((limits.SAME_CLICK, "throttled", network_of(request).blocks[0][0]), now=now).is_over:
        record_sign_in(user=user, kind=SignInKind.THROTTLED, request=request, now=now)
    raise ValidationError(describe_wait(verdict, now=now), code=THROTTLED)


def describe_wait(verdict: Verdict, *, now: datetime) -> str:
    """Return a sentence with the time from which the limits of `verdict` allow another try."""
    minutes = -(-verdict.seconds_left(now=now) // 60)
    again = format_instant((verdict.retry_at or now) + limits.MINUTE, Clinic.objects.current().zone, now=now)
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"Too many tries. Please wait {wait} and try again after {again}."
