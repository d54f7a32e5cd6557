"""manage.py rotate_encryption_keys: run it after adding a new key at the front of ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinic.audit.keys import KeysLost
from clinic.audit.rotation import encrypted_fields, rotate_field
from clinic.audit.sealing import DecryptionFailed


class Command(BaseCommand):
    help = "Encrypt everything again under the first of ENCRYPTION_KEYS. Afterwards the others can be taken away."

    def handle(self, *args: Any, **options: Any) -> None:
        left = 0
        for field in encrypted_fields():
            try:
                rotated, changed = rotate_field(field)
            except (DecryptionFailed, KeysLost) as fault:
                raise CommandError(f"Stopped: {str(fault).rstrip('.')}. What was done so far stays done.") from None
            left += changed
            self.stdout.write(f"{field.model._meta.label}.{field.name}: {rotated} encrypted again")
        if left:
            raise CommandError(f"{left} rows changed meanwhile; run this once more before a key is taken away.")
