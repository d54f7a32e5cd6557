"""django-allauth's hooks: who may sign in, where a sign-in leads, what is mailed, how secrets are stored.

allauth's own rate limits are off (`ACCOUNT_RATE_LIMITS`), since they count in each process for itself. `throttle` counts
in Postgres.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from clinic.practice.models import Clinic, User
from clinic.responses.remote_address import recorded_block
from clinic.staff.models import FactorSecret
from clinic.staff.second_factor import needs_second_factor, second_factors
from clinic.staff.sign_in.session_limits import signed_in_at
from clinic.staff.sign_in.throttle import check_password_limits

STAFF_ROUTES = {"admin"}  # namespaces that a sign-in may lead to, besides the pages of the account
OWN_PAGES = {"usersessions_list", "account_change_password"}
RECENT = timedelta(minutes=5)  # a sign-in this recent counts as a re-authentication


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This email address and password do not match. Check both and try again.",
        "incorrect_password": "This is not your password. Please try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False  # staff are invited

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Check the limits on passwords. Raises ValidationError."""
        check_password_limits(request, credentials.get("email", ""), now=timezone.now())

    def reauthenticate(self, user: User, password: str) -> bool:
        """Check the user's password, under the limits of a sign-in. Raises ValidationError."""
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Whether to ask for the password or the second step again: not within RECENT of the sign-in."""
        since = signed_in_at(self.request.session)
        return since is not None and timezone.now() - since >= RECENT

    def is_safe_url(self, url: str) -> bool:
        """Whether a sign-in may lead to `url`: only to a path of the admin or of the account's own pages."""
        parts = urlsplit(url)
        if parts.scheme or parts.netloc or not url.startswith("/") or url.startswith(("//", "/\\")):
            return False
        try:
            match = resolve(parts.path)
        except Resolver404:
            return False
        is_own = match.url_name in OWN_PAGES or parts.path.startswith(reverse("mfa_index"))
        return is_own or bool(STAFF_ROUTES & set(match.namespaces))

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the first address of the client's block, for the list of sessions. The full address is not stored."""
        return recorded_block(request).partition("/")[0] or "0.0.0.0"  # noqa: S104 - a placeholder, not a bind

    def add_message(self, *args: Any, **options: Any) -> None:
        """Add none of allauth's messages: the pages show what has changed."""


class FactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": "You need at least one second step. Add another one first.",
        "incorrect_code": "This code is not right. Wait for the next one and try again.",
    }

    def get_totp_issuer(self) -> str:
        return Clinic.objects.current().name

    def _get_site_name(self) -> str:
        return Clinic.objects.current().name

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Return a name to begin with: "Passkey 1"."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def encrypt(self, text: str) -> str:
        """Store `text` encrypted and return the id of its row."""
        return str(FactorSecret.objects.create(secret=text).pk)

    def decrypt(self, encrypted_text: str) -> str:
        return FactorSecret.objects.get(pk=encrypted_text).secret

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whether another second step remains, or the user needs none."""
        factors = second_factors().filter(user=authenticator.user_id)
        return factors.exclude(pk=authenticator.pk).exists() or not needs_second_factor(authenticator.user)
