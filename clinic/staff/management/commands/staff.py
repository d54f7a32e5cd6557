"""`manage.py staff`: list, add and deactivate accounts of staff, choose their roles, and open emergency access."""

import argparse
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from clinic.practice.models import Clinic, Role, User
from clinic.practice.people.staff import StaffChangeError, change_staff, invite_staff
from clinic.practice.values.dates import format_instant
from clinic.practice.values.mail_addresses import normalize_address
from clinic.staff.accounts import end_sessions, send_link, tell_of_roles
from clinic.staff.emergency import open_emergency_access
from clinic.staff.links import path_of

ROLES = "\n".join(f"  {role.value:<12}{role.purpose}" for role in Role)


class Command(BaseCommand):
    help = "List, add and deactivate accounts of staff, choose their roles, and open emergency access."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = f"Roles:\n{ROLES}"
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="list all accounts")
        add = acts.add_parser("add", help="add an account and email the invitation")
        roles = acts.add_parser("roles", help="replace the roles of an account, and reactivate it")
        deactivate = acts.add_parser("deactivate", help="end all access of an account")
        emergency = acts.add_parser(
            "emergency", help="add or reactivate an account, and print a link that opens it once"
        )
        for one in (add, roles, deactivate, emergency):
            one.add_argument("email")
        add.add_argument("--name", required=True)
        emergency.add_argument("--name", default="", help="for a new account")
        for one in (add, roles):
            one.add_argument("--role", action="append", choices=Role.values, required=True, help="may be repeated")
        emergency.add_argument(
            "--role", action="append", choices=Role.values, default=[], help="added to the account's roles; repeatable"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except StaffChangeError as refusal:
            raise CommandError(str(refusal)) from None

    def _list(self, options: dict[str, Any]) -> None:
        zone, now = Clinic.objects.current().zone, timezone.now()
        for user in User.objects.order_by("name", "email"):
            signed_in = format_instant(user.last_login, zone, now=now) if user.last_login else "never"
            state = "active" if user.is_active else "deactivated"
            roles = (
                ", ".join(filter(None, ["superuser" if user.is_superuser else "", user.roles_in_words])) or "no roles"
            )
            self.stdout.write(f"{user.email}  {user.name}  {roles}  {state}  last sign-in: {signed_in}")

    @transaction.atomic
    def _add(self, options: dict[str, Any]) -> None:
        email, now = _address(options), timezone.now()
        user = invite_staff(email=email, name=options["name"], roles=options["role"], by=None, now=now)
        send_link(user, by=None, now=now)
        self._report(user)
        self.stdout.write("An email with a link to choose a password is on its way.")

    @transaction.atomic
    def _roles(self, options: dict[str, Any]) -> None:
        user, now = _find(options), timezone.now()
        changed = change_staff(user=user, roles=options["role"], is_active=True, by=None, now=now)
        if (changed.roles, changed.is_active) != (user.roles, user.is_active):
            tell_of_roles(changed, now=now)
        self._report(changed)

    def _deactivate(self, options: dict[str, Any]) -> None:
        user, now = _find(options), timezone.now()
        self._report(change_staff(user=user, roles=user.roles, is_active=False, by=None, now=now))
        end_sessions(user, request=None, now=now)

    def _emergency(self, options: dict[str, Any]) -> None:
        email = _address(options)
        is_new = not User.objects.filter(email=email).exists()
        if is_new and not (options["name"] and options["role"]):
            raise CommandError(f"There is no account {email}. Give --name and --role to add one.")
        now = timezone.now()
        link = open_emergency_access(email=email, name=options["name"], roles=options["role"], now=now)
        self._report(User.objects.get(email=email))
        minutes = int((link.expires_at - now).total_seconds() // 60)
        self.stdout.write(f"For {minutes} minutes, this link opens the account once, to choose a password:")
        self.stdout.write(f"{settings.SITE_URL}{path_of(link)}")
        self.stdout.write("Take the access back when the emergency is over: docs/emergency-access.md.")

    def _report(self, user: User) -> None:
        state = "active" if user.is_active else "deactivated"
        self.stdout.write(f"{user.email} is {state}. Roles: {user.roles_in_words or 'none'}.")


def _address(options: dict[str, Any]) -> str:
    """Return the address in lower case. Raises CommandError if it is malformed."""
    email = normalize_address(options["email"]).lower()
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(f"{options['email']!r} is not an email address.") from None
    return email


def _find(options: dict[str, Any]) -> User:
    user = User.objects.filter(email=_address(options)).first()
    if user is None:
        raise CommandError(f"There is no account {options['email']}.")
    return user
