"""Record each sign-in, failure, sign-out and change of an account. These are the project's only signal receivers."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinic.audit.browsers import describe_browser
from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.models import User
from clinic.staff.account_mail import plan_account_mail
from clinic.staff.accounts import delete_orphaned_secrets, delete_secrets
from clinic.staff.links import find_account, revoke_links
from clinic.staff.second_factor import has_second_factor
from clinic.staff.sign_in.session_limits import FACTOR, begin
from clinic.staff.sign_in.throttle import is_known_browser, is_mail_due_about_codes, remember_browser


def connect_receivers() -> None:
    """Connect every receiver. For AppConfig.ready."""
    account.user_logged_in.connect(_signed_in)
    user_login_failed.connect(_failed)
    user_logged_out.connect(_signed_out)
    account.password_changed.connect(_password_changed)
    account.password_set.connect(_password_changed)
    account.authentication_step_completed.connect(_password_confirmed)
    mfa.authentication_failed.connect(_code_failed)
    mfa.authenticator_added.connect(_factor_added)
    mfa.authenticator_removed.connect(_factor_removed)
    mfa.authenticator_reset.connect(_codes_replaced)
    mfa.authenticator_used.connect(_factor_used)


def _record(kind: SignInKind, request: HttpRequest | None, user: User | None, *, is_mailed: bool = False) -> None:
    """Record an event. With `is_mailed`, also plan an email about it to `user`."""
    if request is None:  # a command or a test signs in without a request
        return
    now = timezone.now()
    event = record_sign_in(user=user, kind=kind, request=request, now=now)
    if is_mailed:
        plan_account_mail(event, now=now)


def _signed_in(request: HttpRequest, response: HttpResponse, user: User, **_: Any) -> None:
    begin(request.session, has_factor=has_second_factor(user), now=timezone.now())
    _shorten_user_agent(request)
    is_told = getattr(request, "has_used_link", False)  # the email about the password names the browser too
    _record(SignInKind.SIGNED_IN, request, user, is_mailed=not is_told and not is_known_browser(request, user.email))
    remember_browser(request, response, user)


def _shorten_user_agent(request: HttpRequest) -> None:
    """Shorten what allauth has just stored of this session: the whole User-Agent could identify a device."""
    browser = describe_browser(request.headers.get("User-Agent", ""))
    UserSession.objects.filter(session_key=request.session.session_key).update(user_agent=browser)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    _record(SignInKind.FAILED, request, find_account(credentials.get("email") or credentials.get("username") or ""))


def _signed_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        _record(getattr(request, "sign_out_kind", SignInKind.SIGNED_OUT), request, user)


def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    revoke_links(user.email, now=timezone.now())
    _shorten_user_agent(request)
    request.has_new_password = True  # type: ignore[attr-defined]  # the middleware then makes the browser known again
    _record(SignInKind.PASSWORD_CHANGED, request, user, is_mailed=True)


def _password_confirmed(request: HttpRequest, user: User, method: str, **extra: Any) -> None:
    if method == "password" and extra.get("reauthenticated"):
        _record(SignInKind.REAUTHENTICATED, request, user)


def _code_failed(request: HttpRequest, user: User, **_: Any) -> None:
    _record(SignInKind.FAILED, request, user, is_mailed=is_mail_due_about_codes(user, now=timezone.now()))


def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return  # they come with the first second step
    request.session[FACTOR] = True
    _record(SignInKind.FACTOR_ADDED, request, user, is_mailed=True)


def _codes_replaced(request: HttpRequest, user: User, **_: Any) -> None:
    delete_orphaned_secrets()
    _record(SignInKind.FACTOR_ADDED, request, user, is_mailed=True)


def _factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    delete_secrets(authenticator)
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return  # they go with the last second step
    request.session[FACTOR] = has_second_factor(user)
    _record(SignInKind.FACTOR_REMOVED, request, user, is_mailed=True)


def _factor_used(request: HttpRequest, user: User, authenticator: Authenticator, **extra: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _record(SignInKind.RECOVERY_USED, request, user, is_mailed=True)
    if extra.get("reauthenticated"):
        _record(SignInKind.REAUTHENTICATED, request, user)
