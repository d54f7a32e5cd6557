"""Environment variables that production accepts."""

import base64

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OLD_KEY = base64.urlsafe_b64encode(b"o" * 32).decode()

PRODUCTION = {
    "SECRET_KEY": "s" * 50,
    "DATABASE_URL": "postgresql://clinic:pa%20ss@db:5433/clinic?sslmode=require",
    "REDIS_URL": "rediss://:secret@redis:6379/0",
    "ALLOWED_HOSTS": "clinic.example, www.clinic.example",
    "SITE_URL": "https://clinic.example",
    "EMAIL_URL": "smtp://post:secret@mail.example:587?tls=1",
    "EMAIL_FROM": "Lakes Clinic <hello@clinic.example>",
    "ENCRYPTION_KEYS": f"2026b:{KEY},2026a:{OLD_KEY}",
}
