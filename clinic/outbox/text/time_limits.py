"""Nested time limits of sending: the sweep, its leases and Celery's limits. Pure.

A message is claimed during a sweep. Its attempt begins during that sweep, takes one conversation with the server, and
is then recorded. The lease covers all of that. Celery does not stop a task before the last lease of its sweep has
expired. tests/clinic/outbox/test_time_limits.py compares these with the Celery app and the deployment files.
"""

from datetime import timedelta

SWEEP_LASTS = timedelta(seconds=30)  # how long one sweep claims messages; the next sweep continues
CONVERSATION = timedelta(seconds=150)  # longer than an SMTP session whose replies all arrive just before their timeouts
GIVE_UP_AFTER = timedelta(hours=4)  # how long one message is retried
RECORDING_SENT = timedelta(seconds=60)  # how long recording "sent" is retried while the database is away
LEASE = SWEEP_LASTS + CONVERSATION + RECORDING_SENT
TASK_SOFT_LIMIT = SWEEP_LASTS + LEASE  # the sweep, and the lease of a message that is claimed at its very end
TASK_LIMIT = TASK_SOFT_LIMIT + timedelta(seconds=30)
REDELIVERED_AFTER = TASK_LIMIT + timedelta(seconds=60)  # when the broker redelivers a task whose worker died
