"""Storage of the admin's messages: the session, never a cookie, as they name patients."""

from typing import Any

from django.contrib.messages.storage.session import SessionStorage
from django.urls import reverse


class AdminMessages(SessionStorage):
    """Reads the session on pages of the admin only. Reading it on a public page would make that page uncacheable."""

    def _get(self, *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        if self.request.path.startswith(reverse("admin:index")):
            return super()._get(*args, **kwargs)  # type: ignore[misc]  # not in the stubs
        return [], True
