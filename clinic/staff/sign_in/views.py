"""The account's own pages: sign-in, sign-out, forgotten password, single-use links, sessions."""

from typing import Any

from allauth.account.internal.flows.logout import logout as allauth_logout
from allauth.account.utils import perform_login
from allauth.account.views import LoginView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import IndexView
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.access.networks import network_of
from clinic.practice.access.rate_limits import NETWORK_CHALLENGES, NETWORK_RESETS, RESETS, spend
from clinic.practice.access.staff import staff_of
from clinic.responses.redirects import see_other
from clinic.staff.account_mail import plan_account_mail, plan_link_mail
from clinic.staff.links import Purpose, StaffLinkUnusable, create_link, find_account, open_link, use_link
from clinic.staff.second_factor import needs_second_factor
from clinic.staff.sign_in.forms import NewPasswordForm, ResetForm
from clinic.staff.sign_in.session_limits import IDLE, LONGEST, Ended
from clinic.staff.sign_in.sign_out import clear_site_data
from clinic.staff.sign_in.throttle import THROTTLED, describe_wait, is_known_browser


class SignInView(LoginView):
    """Sign in with email address and password, or a passkey. The second step follows."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ended = self.request.GET.get("ended")
        limits = {"idle_minutes": IDLE.seconds // 60, "longest_hours": LONGEST.seconds // 3600}
        context = {"ended": ended, "second_factor_required": settings.SECOND_FACTOR_REQUIRED, **limits}
        return {**super().get_context_data(**kwargs), **context}


class AccountView(IndexView):
    """The account: its second steps, and the way to its password and sessions."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        needs_factor = needs_second_factor(staff_of(self.request))
        return {**super().get_context_data(**kwargs), "second_factor_required": needs_factor}


class PasskeySignInView(LoginWebAuthnView):
    """Sign in by passkey alone. A GET by the page's script returns the challenge, which is stored in a session."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        now = timezone.now()
        verdict = spend((NETWORK_CHALLENGES, network_of(request)), now=now)
        if verdict.is_over:
            return HttpResponse(status=429, headers={"Retry-After": str(verdict.seconds_left(now=now))})
        return super().get(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        is_throttled = any(error.code == THROTTLED for error in form.errors.as_data().get("credential", ()))
        return see_other(reverse("account_login", query={"passkey": THROTTLED if is_throttled else "failed"}))


class ConfirmByPasskeyView(ReauthenticateWebAuthnView):
    """Re-authenticate by passkey."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Ask again, and say why."""
        again = reverse("mfa_reauthenticate_webauthn", query={"passkey": "failed"})
        return see_other(self.passthrough_next_url(again))


class RemovePasskeyView(RemoveWebAuthnView):
    """Remove a passkey, but not the last second step of those who need one."""

    def form_valid(self, form: Any) -> HttpResponse:
        if not get_adapter().can_delete_authenticator(self.get_object()):
            return see_other(reverse("mfa_list_webauthn", query={"last": 1}))
        return super().form_valid(form)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and a sign-in that waits for its second step. `ended` is "idle" if the page's script did it."""
    ended = Ended.IDLE if request.POST.get("ended") == Ended.IDLE else "signed-out"
    if ended == Ended.IDLE:
        request.sign_out_kind = SignInKind.TIMED_OUT  # type: ignore[attr-defined]
    allauth_logout(request)
    return clear_site_data(see_other(reverse("account_login", query={"ended": ended})))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for the address of an account. A POST plans an email with a link for a new password.

    The response is the same, and takes the same time, for known and unknown addresses: the worker sends the email only
    if an account has the address.
    """
    form = ResetForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "staff/forgotten.html", {"form": form}, status=422 if form.is_bound else 200)
    email, now = form.cleaned_data["email"], timezone.now()
    verdict = spend((NETWORK_RESETS, network_of(request)), now=now)
    if verdict.is_over:
        form.add_error(None, describe_wait(verdict, now=now))
        response = render(request, "staff/forgotten.html", {"form": form}, status=429)
        response["Retry-After"] = str(verdict.seconds_left(now=now))
        return response
    budget = (RESETS, email, "known") if is_known_browser(request, email) else (RESETS, email)
    if not spend(budget, now=now).is_over:
        with transaction.atomic():
            plan_link_mail(create_link(email=email, purpose=Purpose.RESET, keeps_earlier=True, now=now), now=now)
            record_sign_in(user=find_account(email), kind=SignInKind.RESET_ASKED, request=request, now=now)
    return see_other(reverse("account_reset_password_done"))


@require_http_methods(["GET", "HEAD"])
@never_cache
def forgotten_sent(request: HttpRequest) -> HttpResponse:
    """Show the page after a request. It does not reveal whether the address is known."""
    return render(request, "staff/forgotten.html", {"is_sent": True})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password by a single-use link. A POST sets it and signs in; the second step is asked for as usual.

    A GET changes nothing, since mail scanners open every link.
    """
    now = timezone.now()
    try:
        link, user = open_link(token=token, now=now)
        form = NewPasswordForm(request.POST if request.method == "POST" else None, user=user)
        if not form.is_valid():
            context = {"form": form, "link": link, "account": user, "needs_factor": needs_second_factor(user)}
            return render(request, "staff/link.html", context, status=422 if form.is_bound else 200)
        with transaction.atomic():
            link, user = use_link(token=token, password=form.cleaned_data["password"], now=now)
            event = record_sign_in(user=user, kind=SignInKind.PASSWORD_CHANGED, request=request, now=now)
            if link.purpose != Purpose.INVITATION:
                plan_account_mail(event, now=now)
    except StaffLinkUnusable:
        return render(request, "staff/link_unusable.html", status=410)
    if request.user.is_authenticated:
        allauth_logout(request)
    request.has_used_link = True  # type: ignore[attr-defined]
    return perform_login(request, user, email=user.email)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def sessions(request: HttpRequest) -> HttpResponse:
    """List where this account is signed in. A POST ends the session with the id `session`, or all others.

    Raises Http404 for a session of another account.
    """
    user, now = staff_of(request), timezone.now()
    open_sessions = sorted(UserSession.objects.purge_and_list(user), key=lambda one: one.created_at, reverse=True)
    if request.method != "POST":
        return render(request, "staff/sessions.html", {"sessions": open_sessions})
    others = [one for one in open_sessions if not one.is_current()]
    if "session" in request.POST:
        others = [one for one in others if str(one.pk) == request.POST["session"]]
        if not others:
            raise Http404
    for session in others:
        session.end()
        record_sign_in(user=user, kind=SignInKind.ENDED, request=request, now=now)
    return see_other(reverse("usersessions_list"))


@require_POST
@login_required
def still_here(request: HttpRequest) -> HttpResponse:
    """Note that the page is in use: someone typed, or pressed the button of the warning. See static/admin/js/idle.js."""
    return HttpResponse(status=204)
