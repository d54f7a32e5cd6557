"""Liveness, readiness and health, for monitors and deployments. Responses contain only states, ages and reasons."""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.db import DatabaseError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from clinic.audit.keys import find_key_faults
from clinic.audit.unopened import count_unopened
from clinic.outbox.models import Message
from clinic.outbox.sending.heartbeat import Heartbeat, read_heartbeat

logger = logging.getLogger(__name__)

NO_DATABASE = "the database does not respond"
MOST_MIGRATIONS_NAMED = 5
OVERDUE_AFTER = timedelta(minutes=2)
LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """Respond with 200 (liveness). No query, since a restart of this process would not repair the database."""
    return _answer([])


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Respond with 200 if the database responds and all migrations have run, else 503 (readiness).

    For deployments and load balancers.
    """
    return _answer(_database_faults())


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Respond with 200 if `ready` would, messages are sent on time and encrypted values can be decrypted, else 503.

    For monitoring. `last_sweep_s` is null until worker and beat have run, and while the database is not ready.
    """
    now = timezone.now()
    overdue, heartbeat, faults = timedelta(0), Heartbeat(), _database_faults()
    try:
        if not faults:
            overdue, heartbeat = Message.objects.oldest_overdue_age(now=now), read_heartbeat()
            faults = _message_faults(overdue, heartbeat, now=now) + _key_faults(now=now)
    except DatabaseError:
        faults = [_database_is_away()]
    return _answer(
        faults,
        oldest_overdue_s=int(overdue.total_seconds()),
        last_sweep_s=int((now - heartbeat.swept_at).total_seconds()) if heartbeat.swept_at else None,
        database="no answer" if NO_DATABASE in faults else "ok",
    )


class Probes:
    """Respond to probes from this machine before ALLOWED_HOSTS is checked and HTTP is redirected to HTTPS.

    Such probes would pass neither. Only for a loopback Host and the paths of `views`. Responses do not name the Host.
    """

    views = {"/live/": live, "/ready/": ready, "/health/": health}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = self.views.get(request.path_info)
        if view and LOOPBACK.fullmatch(request.META.get("HTTP_HOST", "")):
            return view(request)
        return self.get_response(request)


def _answer(reasons: list[str], **report: int | str | None) -> JsonResponse:
    status = 503 if reasons else 200
    return JsonResponse({"status": "bad" if reasons else "ok", "reasons": reasons, **report}, status=status)


def _database_faults() -> list[str]:
    try:
        applied = set(MigrationRecorder(connection).migration_qs.values_list("app", "name"))
    except ProgrammingError:  # no django_migrations table
        applied = set()
    except DatabaseError:
        return [_database_is_away()]
    missing = [".".join(migration) for migration in sorted(_migrations() - applied)]
    if not missing:
        return []
    more = f" and {len(missing) - MOST_MIGRATIONS_NAMED} more" if len(missing) > MOST_MIGRATIONS_NAMED else ""
    return [f"migrations have not run: {', '.join(missing[:MOST_MIGRATIONS_NAMED])}{more}"]


@cache
def _migrations() -> set[tuple[str, str]]:
    """Return (app, name) of all migrations in this version."""
    return set(MigrationLoader(None).graph.nodes)


def _database_is_away() -> str:
    logger.exception("health: the database does not answer")
    connection.close()
    return NO_DATABASE


def _message_faults(overdue: timedelta, heartbeat: Heartbeat, *, now: datetime) -> list[str]:
    """Return the problems of sending: a message `overdue` for too long, or no sweep for too long."""
    faults = []
    if overdue >= OVERDUE_AFTER:
        faults.append(f"a message is {int(overdue.total_seconds())} s overdue")
    if since := heartbeat.silent_since(now):
        silence = f"{int((now - since).total_seconds())} s"
        never = f"worker and beat have never run, {silence} after the first start"
        faults.append(f"worker or beat has stopped: no sweep for {silence}" if heartbeat.swept_at else never)
    return faults


def _key_faults(*, now: datetime) -> list[str]:
    faults, unopened = find_key_faults(), count_unopened(now=now)
    if unopened:
        faults.append(f"encrypted values that could not be decrypted: {unopened}; see the log")
    return faults
