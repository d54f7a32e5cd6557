"""The rule in force for a message.

It is the clinic's own rule for the service, else its own rule for every service, else the default of the kind.
"""

from collections.abc import Iterable
from uuid import UUID

from clinic.outbox.messages.kinds import MessageKind, TemplateText, changeable_kinds
from clinic.outbox.models import Channel, Message, MessageRule


def default_rule(kind: MessageKind, channel: str = Channel.EMAIL) -> MessageRule:
    """Return the unsaved rule that applies if the clinic has no rule of its own. `kind` must be changeable."""
    if channel == Channel.SMS:
        return MessageRule(kind=kind.name, channel=channel, minutes=kind.minutes, text=kind.text_message)
    template = kind.template or TemplateText("", "")
    return MessageRule(kind=kind.name, minutes=kind.minutes, subject=template.subject, text=template.text)


def rules_in_force(*, scope: str) -> dict[str, MessageRule]:
    """Return the email rules in force for the service with the slug `scope`, by kind name. One query.

    Every changeable kind has one.
    """
    rules = {kind.name: default_rule(kind) for kind in changeable_kinds()}
    own = MessageRule.objects.filter(service_slug__in={"", scope}, channel=Channel.EMAIL).order_by("service_slug")
    return rules | {rule.kind: rule for rule in own}  # the empty slug sorts first, so a service's rule overrides it


def rules_of(messages: Iterable[Message]) -> dict[UUID, MessageRule]:
    """Return the rules of `messages` by message ID. If staff cannot change its kind, a message has none. One query."""
    messages = list(messages)
    kinds = {kind.name: kind for kind in changeable_kinds()}
    written = MessageRule.objects.filter(kind__in={message.kind for message in messages})
    own = {(rule.kind, rule.channel, rule.service_slug): rule for rule in written}
    rules = {}
    for message in messages:
        if kind := kinds.get(message.kind):
            for_all = own.get((message.kind, message.channel, ""))
            rule = own.get((message.kind, message.channel, message.scope), for_all)
            rules[message.pk] = rule or default_rule(kind, message.channel)
    return rules


def text_of(rule: MessageRule | None) -> TemplateText | None:
    """Return the subject and opening of `rule`. None for a kind without a rule, whose template files contain them."""
    return TemplateText(rule.subject, rule.text) if rule else None
