"""Time limits of sending: the sweep, its leases and Celery's limits, each longer than the one inside it. Pure.

A message is claimed within a sweep, begun within that sweep, sent in one conversation, and then recorded as sent.
Its lease covers all of that, and Celery does not end a task before the last lease of its sweep has run out.
tests/clinic/outbox/test_time_limits.py compares these with the Celery app and the deployment files.
"""

from datetime import timedelta

SWEEP_LASTS = timedelta(seconds=30)  # then the next sweep continues
CONVERSATION = timedelta(seconds=150)  # longer than an SMTP session in which every reply comes just before its timeout
GIVE_UP_AFTER = timedelta(hours=4)  # of trying one message
RECORDING_SENT = timedelta(seconds=60)  # how long recording "sent" is retried while the database is away
LEASE = SWEEP_LASTS + CONVERSATION + RECORDING_SENT
TASK_SOFT_LIMIT = SWEEP_LASTS + LEASE  # claimed in a sweep's last moment, a message keeps its worker this long
TASK_LIMIT = TASK_SOFT_LIMIT + timedelta(seconds=30)
REDELIVERED_AFTER = TASK_LIMIT + timedelta(seconds=60)  # of a wake-up whose worker died
