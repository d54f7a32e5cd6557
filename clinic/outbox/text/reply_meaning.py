"""Parse a short text message as a `Reply`, such as STOP or yes. Anything else is for staff to read. Pure.

Only clear replies are parsed: "yes please" is a yes, but "yes but I may be late" is a message for staff.
"""

import re
import unicodedata
from enum import StrEnum


class Reply(StrEnum):
    STOP = "stop"
    CANCEL = "cancel"  # carriers treat it as STOP; the sender may have meant the visit
    START = "start"
    HELP = "help"
    YES = "yes"
    CANNOT = "cannot"


def _words(text: str) -> set[str]:
    return set(text.split())


_QUOTES = set("'\"`´ʼ‘’‚‛“”„‟′″")
_SIGNS = {
    "👍": "yes",
    "👌": "yes",
    "✅": "yes",
    "✔": "yes",
    "☑": "yes",
    "🆗": "yes",
    "👎": "no",
    "❌": "no",
    "🚫": "no",
}

_POLITE = {"please", "pls", "plz", "thanks", "thank", "you", "thx", "ty", "hi", "hello", "hey", "sorry"}
_STOP = {"stop", "stopall", "unsubscribe", "quit", "end", "revoke", "optout"}  # required by carriers
_STOP_FILLER = _POLITE | _words(
    "all now it this these the texting texts text messages message messaging msgs sms sending send me my "
    "from to and reminders reminder immediately i want would like just with yes no"
)
_STOP_PHRASES = {
    f"{refusal} {what}"
    for refusal in ("no more", "no", "dont send", "do not send", "dont send me", "do not send me", "dont send any more")
    for what in ("texts", "text", "messages", "more texts", "more messages", "any texts", "texts please")
} | {"dont text me", "do not text me", "dont text", "stop it", "remove me", "take me off", "leave me alone", "no mas"}
_START, _HELP = {"start", "unstop"}, {"help", "info"}

_YES = _words("y yes yep yeah yea yup ya yess ok okay k sure confirm confirmed coming definitely absolutely si sí")
_YES_FILLER = (_YES | _POLITE) - {"sorry"} | _words(
    "i ill im will be there am see then tomorrow today of course and it the for sounds good great perfect "
    "that works reminder reminding me us we my visit appointment can make do thing count in so much "
    "looking forward to"
)
_YES_PHRASES = {
    "ill be there",
    "i will be there",
    "will be there",
    "be there",
    "we will be there",
    "see you",
    "see you then",
    "see you there",
    "see you tomorrow",
    "see you today",
    "i am coming",
    "im coming",
    "i can make it",
    "count me in",
    "looking forward to it",
}
_CANNOT = {"c", "n", "no", "nope", "cant", "cannot", "can not"}
_CANNOT_PHRASES = _CANNOT | {
    f"{refusal} {what}"
    for refusal in ("cant", "cannot", "can not", "wont", "will not", "im not", "i am not", "not")
    for what in ("come", "make it", "be there", "coming", "able to come", "able to make it", "be able to make it")
}
_CANNOT_FILLER = _POLITE | {"no", "nope", "unfortunately", "i", "we", "so", "but"}


def parse_reply(text: str) -> Reply | None:
    """Return the Reply that `text` means; None if there is none, or if `text` says something else too."""
    words = plain_words(text)
    phrase = " ".join(words)
    if phrase == "cancel":
        return Reply.CANCEL
    if _is_stop(words):
        return Reply.STOP
    core = " ".join(word for word in words if word not in _POLITE)
    if core in _START:
        return Reply.START
    if core in _HELP:
        return Reply.HELP
    if _is_yes(words, core):
        return Reply.YES
    return Reply.CANNOT if _is_cannot(words) else None


def plain_words(text: str) -> list[str]:
    """Return the lower-case words of `text`, without invisible characters, quotes, punctuation and emoji.

    The emoji in _SIGNS become words, and "opt out" and "opt me out" become "optout".
    """
    letters = []
    for letter in unicodedata.normalize("NFKC", text).casefold():
        category = unicodedata.category(letter)
        if letter in _SIGNS:
            letters.append(f" {_SIGNS[letter]} ")
        elif letter.isspace():
            letters.append(" ")
        elif category[0] not in "CM" and letter not in _QUOTES:  # not zero-width, control or a variation selector
            letters.append(" " if category[0] in "PSZ" else letter)
    plain = " ".join("".join(letters).split())
    return re.sub(r"\bopt (?:me )?out\b", "optout", plain).split()


def _is_stop(words: list[str]) -> bool:
    core = " ".join(word for word in words if word not in _POLITE)
    return core in _STOP_PHRASES or (bool(_STOP & set(words)) and set(words) <= _STOP | _STOP_FILLER)


def _is_yes(words: list[str], core: str) -> bool:
    if core in _YES_PHRASES or " ".join(words) in _YES_PHRASES:
        return True
    return bool(_YES & set(words)) and set(words) <= _YES_FILLER


def _is_cannot(words: list[str]) -> bool:
    core = " ".join(word for word in words if word not in _CANNOT_FILLER)
    return core in _CANNOT_PHRASES or (core == "" and bool(_CANNOT & set(words)))
