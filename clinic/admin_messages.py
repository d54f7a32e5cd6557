"""Where the admin keeps its notes until the next page shows them: in the session, as they name patients, and in no cookie."""

from typing import Any

from django.contrib.messages.storage.session import SessionStorage
from django.urls import reverse


class AdminMessages(SessionStorage):
    """Notes of the admin. Other pages write none, so they do not ask for the session, which would make them private."""

    def _get(self, *args: Any, **kwargs: Any) -> tuple[Any, bool]:
        if self.request.path.startswith(reverse("admin:index")):
            return super()._get(*args, **kwargs)  # type: ignore[misc]  # not in the stubs
        return [], True
