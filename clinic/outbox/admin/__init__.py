"""The admin's pages about messages."""

from .consents import TextConsentAdmin
from .ledger import MessageAdmin
from .rules import MessageRuleAdmin
from .suppressions import SuppressionAdmin

__all__ = ["MessageAdmin", "MessageRuleAdmin", "SuppressionAdmin", "TextConsentAdmin"]
