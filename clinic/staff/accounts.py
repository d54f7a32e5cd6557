"""What owners do to the account of a member of staff: send a link, end sessions, remove a lost second step."""

from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest

from clinic.audit.models import SignInEvent, SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.models import User
from clinic.staff.account_mail import plan_account_mail, plan_link_mail
from clinic.staff.links import Purpose, create_link, revoke_links
from clinic.staff.models import FactorSecret


@transaction.atomic
def send_link(user: User, *, by: User | None, now: datetime) -> None:
    """Email `user` a link with which to choose a password: an invitation, until they have a password.

    All earlier links of the account end.
    """
    revoke_links(user.email, now=now)
    purpose = Purpose.RESET if user.has_usable_password() else Purpose.INVITATION
    plan_link_mail(create_link(email=user.email, purpose=purpose, by=by, now=now), now=now)


def end_sessions(user: User, *, request: HttpRequest | None, now: datetime) -> int:
    """End every session of `user`. Returns how many."""
    sessions = UserSession.objects.purge_and_list(user)
    for session in sessions:
        session.end()
    record_sign_in(user=user, kind=SignInKind.ENDED, request=request, now=now)
    return len(sessions)


@transaction.atomic
def remove_second_steps(user: User, *, request: HttpRequest, now: datetime) -> None:
    """Remove the second steps of `user`, whose device is lost, and the password, and email them a link for a new one.

    Their sessions end. The password goes too: whoever has stolen it could add a second step of their own.
    """
    delete_factors(Authenticator.objects.filter(user=user))
    revoke_links(user.email, now=now)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    plan_link_mail(create_link(email=user.email, purpose=Purpose.RESET, now=now), now=now)
    event = record_sign_in(user=user, kind=SignInKind.FACTOR_REMOVED, request=request, now=now)
    plan_account_mail(event, now=now)


def tell_of_roles(user: User, *, now: datetime) -> None:
    """Email `user` that their roles were changed, by the newest line of the log about that."""
    plan_account_mail(SignInEvent.objects.filter(user=user, kind=SignInKind.ROLES_CHANGED).latest("pk"), now=now)


def delete_factors(factors: Iterable[Authenticator]) -> None:
    """Delete `factors` with their secrets."""
    for factor in factors:
        delete_secrets(factor)
        factor.delete()


def delete_secrets(factor: Authenticator) -> None:
    """Delete the encrypted secrets of `factor`."""
    keys = [factor.data[name] for name in ("secret", "seed") if name in factor.data]
    FactorSecret.objects.filter(pk__in=keys).delete()


def delete_orphaned_secrets() -> None:
    """Delete the secrets that no second step refers to: allauth replaces recovery codes without a signal for the old."""
    used = {
        factor.data[name]
        for factor in Authenticator.objects.all()
        for name in ("secret", "seed")
        if name in factor.data
    }
    FactorSecret.objects.exclude(pk__in=used).delete()
