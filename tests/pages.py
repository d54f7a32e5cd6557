"""Read a page: its visible text and the targets of its buttons."""

import re


def text_of(response) -> str:
    """Return the visible text of a page, without head, styles and scripts."""
    body = re.sub(r"(?s)<(head|style|script).*?</\1>", " ", response.content.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", body).replace("&nbsp;", " ").split())


def buttons(response) -> list[str]:
    """Return the URLs to which the page's buttons send their form."""
    return [where.replace("&amp;", "&") for where in re.findall(r'formaction="([^"]+)"', response.content.decode())]
