"""Template filters: a message's kind and reason as text for staff."""

from django import template

from clinic.outbox.messages.kinds import kind_title
from clinic.outbox.text.reason_text import explain_reason

register = template.Library()
register.filter("kind_title", kind_title)
register.filter("explain_reason", explain_reason)
