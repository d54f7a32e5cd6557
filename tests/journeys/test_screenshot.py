"""The README's picture, made from the running site: the article, the booking page and Today, side by side."""

import base64
import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clinic.demo.visits import book_demo_visits
from clinic.outbox.sending.hand_over import send_due_messages
from tests.journeys import steps

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

PAGE = """<body style="margin:0;padding:32px;display:flex;gap:24px;align-items:flex-start;background:#dfe8e3">
{pictures}</body>"""
PICTURE = '<img src="data:image/png;base64,{data}" style="height:720px;border-radius:12px" alt="">'


def test_readme_picture_can_be_made(browser, open_browser, demo_clinic, post_office, tmp_path):
    """The picture is written to `$SCREENSHOT` if set, as `make screenshot` does."""
    book_demo_visits(now=timezone.now())
    send_due_messages(clock=timezone.now)
    phone = open_browser()
    phone.goto("/learn/hip-flexor-pain-running/")
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    pictures = [phone.screenshot()]
    phone.goto("/book/evaluation/")
    expect(phone.locator(".choice-list a.choice").first).to_be_visible()
    pictures.append(phone.screenshot())
    desk = open_browser(viewport={"width": 1180, "height": 900})
    steps.log_in(desk)
    pictures.append(desk.screenshot())

    images = "".join(PICTURE.format(data=base64.b64encode(picture).decode()) for picture in pictures)
    target = Path(os.environ.get("SCREENSHOT", tmp_path / "screenshot.png"))
    canvas = browser.new_page(viewport={"width": 1750, "height": 784})
    canvas.set_content(PAGE.format(pictures=images))
    canvas.screenshot(path=target)
    canvas.close()

    assert target.read_bytes().startswith(b"\x89PNG")
    assert len(pictures) == 3
