"""Emergency access to staff accounts, opened on the server: a lost second step, a therapist who cannot be reached."""

import logging
from collections.abc import Iterable
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from clinic.audit.models import SignInKind
from clinic.audit.sign_ins import record_sign_in
from clinic.practice.people.staff import restore_account
from clinic.staff.account_mail import plan_account_mail
from clinic.staff.accounts import delete_factors
from clinic.staff.links import Purpose, create_link, revoke_links
from clinic.staff.models import StaffLink

logger = logging.getLogger(__name__)


@transaction.atomic
def open_emergency_access(*, email: str, name: str, roles: Iterable[str], now: datetime) -> StaffLink:
    """Create or reactivate an account, add `roles` to it, and return a single-use link that sets its password.

    Ends the account's sessions and removes its password and second steps, so that only the link opens it. Recorded in
    the log of sign-ins and, as a warning, in Django's log. The user is told by email.
    """
    user = restore_account(email=email, name=name, roles=roles)
    delete_factors(Authenticator.objects.filter(user=user))
    revoke_links(user.email, now=now)
    event = record_sign_in(user=user, kind=SignInKind.EMERGENCY, request=None, now=now)
    plan_account_mail(event, now=now)
    logger.warning("Emergency access was opened for staff account %s. Its roles: %s.", user.pk, user.roles_in_words)
    return create_link(email=user.email, purpose=Purpose.EMERGENCY, now=now)
