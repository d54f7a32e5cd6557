"""/_mail/: the messages that the local site has sent. Only where MAILBOX_DIR is set."""

import re
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.csp import CSP
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from clinic.local.mailbox.maildir import Mail, list_mail, read_mail

# The HTML of a message is shown in a frame without scripts, forms or cookies. Its links open in a new tab.
FRAME = "allow-popups allow-popups-to-escape-sandbox"
FRAME_POLICY: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],  # emails have inline styles only
    "img-src": ["data:"],
    "frame-ancestors": [CSP.SELF],
    "sandbox": FRAME.split(),
}


@require_safe
@never_cache
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, newest first."""
    return render(request, "local/mailbox.html", {"mails": list_mail(Path(settings.MAILBOX_DIR))})


@require_safe
@never_cache
@csp_override({**settings.SECURE_CSP, "frame-src": [CSP.SELF]})
def message(request: HttpRequest, mail_id: str) -> HttpResponse:
    """Show a message: its text with working links, its HTML in a frame, its attachments, its headers."""
    return render(request, "local/message.html", {"mail": _find_mail(mail_id), "sandbox": FRAME})


@require_safe
@never_cache
@xframe_options_sameorigin
@csp_override(FRAME_POLICY)
def message_html(request: HttpRequest, mail_id: str) -> HttpResponse:
    """Return the HTML part of a message, for the frame. Raises Http404 if it has none."""
    html = _find_mail(mail_id).html
    if not html:
        raise Http404
    return HttpResponse(_with_links_in_new_tabs(html))


@require_safe
@never_cache
def attachment(request: HttpRequest, mail_id: str, number: int) -> HttpResponse:
    """Return attachment `number`, counted from 0, as a download. Raises Http404 if there is none."""
    attachments = _find_mail(mail_id).attachments
    if number >= len(attachments):
        raise Http404
    found = attachments[number]
    kind = found.content_type if found.content_type == "text/calendar" else "application/octet-stream"
    disposition = content_disposition_header(as_attachment=True, filename=found.filename)
    return HttpResponse(found.content, content_type=kind, headers={"Content-Disposition": disposition})


def _with_links_in_new_tabs(html: str) -> str:
    """Make links open in a new tab, since the site's pages cannot be framed."""
    base = '<base target="_blank">'
    with_base, count = re.subn(r"(?i)(<head\b[^>]*>)", rf"\1{base}", html, count=1)
    return with_base if count else base + html


def _find_mail(mail_id: str) -> Mail:
    mail = read_mail(Path(settings.MAILBOX_DIR), mail_id)
    if mail is None:
        raise Http404
    return mail
