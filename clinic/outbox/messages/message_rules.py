"""Which rule holds for a message: the clinic's own for the service, else the clinic's for all, else the kind's defaults."""

from datetime import datetime

from clinic.outbox.messages.kinds import Email, MessageKind, Words, changeable_kinds, find_kind
from clinic.outbox.models import Channel, Message, MessageRule


def default_rule(kind: MessageKind, channel=Channel.EMAIL) -> MessageRule:
    """The rule, not saved, that holds where the clinic has written none. `kind` must be one that can be changed."""
    if channel == Channel.SMS:
        return MessageRule(kind=kind.name, channel=channel, minutes=kind.minutes, text=kind.text_message)
    words = kind.words or Words("", "")
    return MessageRule(kind=kind.name, minutes=kind.minutes, subject=words.subject, text=words.text)


def rules_in_force(*, scope: str, channel=Channel.EMAIL) -> dict[str, MessageRule]:
    """By kind, the rules for the service `scope` (its slug); one for every kind that can be changed. One query."""
    rules = {kind.name: default_rule(kind) for kind in changeable_kinds()}
    own = MessageRule.objects.filter(service_slug__in={"", scope}, channel=channel).order_by("service_slug")
    return rules | {rule.kind: rule for rule in own}  # the empty slug sorts first, so a service's own comes last


def rule_of(message: Message) -> MessageRule | None:
    """The rule that holds for `message`; None if nobody can change its kind. One query, none after `read_rules`."""
    kind = find_kind(message.kind)
    if kind.words is None:
        return None
    if not hasattr(message, "own_rule"):
        read_rules([message])
    return message.own_rule or default_rule(kind, message.channel)


def read_rules(messages: list[Message]) -> None:
    """Let each message know as its `own_rule` what the clinic has written for it, if anything. One query for all."""
    kinds = {message.kind for message in messages}
    own = {(rule.kind, rule.channel, rule.service_slug): rule for rule in MessageRule.objects.filter(kind__in=kinds)}
    for message in messages:
        for_all = own.get((message.kind, message.channel, ""))
        message.own_rule = own.get((message.kind, message.channel, message.scope), for_all)


def words_of(message: Message) -> Words | None:
    """In which words `message` opens; None where its kind's template says it."""
    rule = rule_of(message)
    return Words(rule.subject, rule.text) if rule else None


def render_message(message: Message, *, now: datetime) -> Email:
    """The mail of `message` as of `now`, in the words of the rule that holds for it. Issues the links it holds."""
    return find_kind(message.kind).render(message, words_of(message), now)
