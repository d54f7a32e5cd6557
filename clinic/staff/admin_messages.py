"""Storage of the admin's messages: in the session, never in a cookie, since they name patients."""

from typing import Any

from django.contrib.messages.storage.session import SessionStorage
from django.urls import reverse


class AdminMessages(SessionStorage):
    """Session storage whose messages are read on admin pages and nowhere else.

    Reading the session would make a public page uncacheable.
    """

    def _get(self, *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        if self.request.path.startswith(reverse("admin:index")):
            return super()._get(*args, **kwargs)  # type: ignore[misc]  # not in the stubs
        return [], True
