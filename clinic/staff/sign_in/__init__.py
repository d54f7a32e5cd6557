"""Sign-in of staff by django-allauth: adapters, forms, throttling, session limits, and the pages of an account."""
