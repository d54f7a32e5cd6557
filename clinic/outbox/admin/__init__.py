"""The admin's pages about messages."""

from .ledger import MessageAdmin
from .rules import MessageRuleAdmin

__all__ = ["MessageAdmin", "MessageRuleAdmin"]
