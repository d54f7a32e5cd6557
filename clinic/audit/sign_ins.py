"""Write the log of sign-ins."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from clinic.audit.browsers import describe_browser
from clinic.audit.models import SignInEvent, SignInKind
from clinic.responses.remote_address import recorded_block


def record_sign_in(
    *,
    user: AbstractBaseUser | None,
    kind: str,
    request: HttpRequest | None,
    by: AbstractBaseUser | None = None,
    now: datetime,
) -> SignInEvent:
    """Append a row to the log of sign-ins. `user` is the account, None if it is unknown.

    Pass `by` if a command or another member of staff acts. Without it, the account that `request` is signed in to is
    recorded, if that is another one. Raises ValueError for a `kind` that is not in `SignInKind`.
    """
    event = SignInEvent(user_id=user.pk if user is not None else None, kind=SignInKind(kind), at=now)
    event.by_id = by.pk if by is not None else None
    if request is not None:
        event.network = recorded_block(request)
        event.browser = describe_browser(request.headers.get("User-Agent", ""))
        signed_in = getattr(request, "user", None)
        if user is not None and signed_in is not None and signed_in.is_authenticated and signed_in.pk != user.pk:
            event.by_id = signed_in.pk
    event.save(force_insert=True)
    return event
