"""Find the rule of a message: the clinic's own for the service, else the clinic's for all, else the kind's defaults."""

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
    """Return by kind the rules for the service `scope` (its slug); one for every kind that can be changed. One query."""
    rules = {kind.name: default_rule(kind) for kind in changeable_kinds()}
    own = MessageRule.objects.filter(service_slug__in={"", scope}, channel=Channel.EMAIL).order_by("service_slug")
    return rules | {rule.kind: rule for rule in own}  # the empty slug sorts first, so a service's own comes last


def rules_of(messages: Iterable[Message]) -> dict[UUID, MessageRule]:
    """Return by message its rule; none for kinds that staff cannot change. One query."""
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
    """Return the subject and opening by `rule`; None for kinds whose template has them."""
    return TemplateText(rule.subject, rule.text) if rule else None
