"""The meaning of short text replies, in any spelling. A reply that says more is left for staff to read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.outbox.text.reply_meaning import Reply, parse_reply, plain_words

MEANINGS = {
    Reply.YES: [
        *("Y", "y.", "YES!", "Yes", "yes please", "Yes, please.", "Yep", "yeah", "yup", "ok", "Okay, thanks!", "Sure"),
        *(
            "👍",
            "👍🏽",
            "👍️",
            "Yes 😀",
            "y👍",
            "“Y”",
            "‘yes’",
            "Ｙ",
            "ＹＥＳ",
            "\u200bY\u200b",
            "Y\ufeff",
            "Y\r\n",
            "\u202aYes\u202c",
        ),
        *("I’ll be there", "I'll be there!", "Yes, I will be there", "see you then", "See you tomorrow", "confirmed"),
    ],
    Reply.CANNOT: [
        *("C", "c.", "“C”", "N", "No", "nope", "No, sorry", "no thanks", "can't", "can’t come", "Cannot", "👎"),
        *(
            "I can’t make it",
            "Sorry, I can't make it.",
            "not coming",
            "I won’t be there",
            "unfortunately I cannot come",
        ),
    ],
    Reply.STOP: [
        *(
            "STOP",
            "stop",
            " Stop. ",
            "STOP!",
            "“STOP”",
            "'stop'",
            "st\u200bop",
            "Stop\u00ad",
            "STOPALL",
            "stop all",
            "Stop, all",
        ),
        *(
            "Opt out",
            "opt-out",
            "OPTOUT",
            "opt me out",
            "please stop",
            "Please stop texting me",
            "stop sending me texts",
        ),
        *(
            "unsubscribe",
            "quit",
            "end",
            "END.",
            "revoke",
            "don’t text me",
            "no more texts",
            "Stop please, thank you",
            "no stop",
        ),
    ],
    Reply.CANCEL: ["cancel", "Cancel.", "CANCEL!"],
    Reply.START: ["start", "START", "Unstop", "start please"],
    Reply.HELP: ["help", "HELP!", "Info", "help please"],
    None: [
        *(
            "",
            "…",
            "🏃",
            "hi",
            "thanks",
            "Thank you!",
            "numb all over, cannot pee",
            "running 15 min late",
            "Y/N",
            "yes no",
        ),
        *(
            "yes but I am running late",
            "Yes. My leg is numb",
            "ok can you call me",
            "Sorry I can't make it, I fell",
            "no problem",
        ),
        *(
            "please cancel",
            "Cancel my visit",
            "I need help",
            "can I come at 10 instead?",
            "don't stop",
            "stop by at nine?",
        ),
        *("When does it end?", "C?Y", "yes I can not"),
    ],
}


@pytest.mark.parametrize(("text", "meaning"), [(text, key) for key, texts in MEANINGS.items() for text in texts])
def test_reply_is_read_as_its_sender_means_it(text, meaning):
    assert parse_reply(text) == meaning


@given(st.text(max_size=200))
def test_any_text_can_be_read(text):
    assert parse_reply(text) in {*Reply, None}
    assert all(word and word == word.strip() for word in plain_words(text))
