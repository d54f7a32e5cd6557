"""What tests read on a page."""

import re


def text_of(response) -> str:
    """What somebody reads of a page."""
    body = re.sub(r"(?s)<(head|style|script).*?</\1>", " ", response.content.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("&nbsp;", " ").split())


def buttons(response) -> list[str]:
    """Where the page's buttons send their form."""
    return [where.replace("&amp;", "&") for where in re.findall(r'formaction="([^"]+)"', response.content.decode())]
