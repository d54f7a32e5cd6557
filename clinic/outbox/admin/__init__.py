"""The admin's pages about messages."""

from .consents import TextConsentAdmin
from .inbound import InboundTextAdmin
from .ledger import MessageAdmin
from .rules import MessageRuleAdmin
from .suppressions import SuppressionAdmin

__all__ = ["InboundTextAdmin", "MessageAdmin", "MessageRuleAdmin", "SuppressionAdmin", "TextConsentAdmin"]
