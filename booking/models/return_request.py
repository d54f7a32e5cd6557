"""Requests to be mailed a link."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower


class ReturnRequest(models.Model):
    """A request to mail a link to `email`: to recognize a returning patient, or to confirm a visitor's own address.

    The first cleanup after `booking.actions.return_links.KEPT_FOR` deletes it. It is kept that long whether or not a
    patient has the address.
    """

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
