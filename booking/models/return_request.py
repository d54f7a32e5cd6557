"""Requests for a link by email."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class ReturnRequest(models.Model):
    """An email address that asked to be recognized, or to be confirmed as the visitor's own. Kept for a day and until the
    next clean-up, known here or not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="return_request_address_is_lower_case", condition=Q(email=Lower("email")) & ~Q(email="")
            )
        ]

    def __str__(self) -> str:
        return str(self.id)
