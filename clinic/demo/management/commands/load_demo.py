"""`manage.py load_demo`: the demo clinic, with visits around today. Safe to run again; refused in production."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.demo import login
from clinic.demo.clinic import DemoRefused, open_demo_clinic
from clinic.demo.visits import book_demo_visits


class Command(BaseCommand):
    help = "Load the demo clinic, with visits around today. Safe to run again; refused in production."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            is_new = open_demo_clinic(now=now)
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from None
        booked = book_demo_visits(now=now)
        if options["verbosity"] > 0 and (is_new or booked):
            self.stdout.write(f"{'A new' if is_new else 'The'} demo clinic; {booked} visits booked around today.")
        if options["verbosity"] > 0 and is_new:
            self.stdout.write(f"Log in at /admin/ as {login.EMAIL} with {login.PASSWORD}")
