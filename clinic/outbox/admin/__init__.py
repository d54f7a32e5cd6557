"""Admin pages for messages."""

from clinic.outbox.admin.consents import TextConsentAdmin
from clinic.outbox.admin.inbound import InboundTextAdmin
from clinic.outbox.admin.ledger import MessageAdmin
from clinic.outbox.admin.rules import MessageRuleAdmin
from clinic.outbox.admin.suppressions import SuppressionAdmin

__all__ = ["InboundTextAdmin", "MessageAdmin", "MessageRuleAdmin", "SuppressionAdmin", "TextConsentAdmin"]
