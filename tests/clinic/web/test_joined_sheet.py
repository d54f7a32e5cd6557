"""The joined style sheet: Bootstrap's reboot and ours in one file, rebuilt when either changes."""

import os
import re

from django.contrib.staticfiles import finders
from django.core.management import call_command

from clinic.web.joined_sheet import JoinedSheetFinder


def test_sheet_holds_both_parts_and_imports_nothing():
    with open(finders.find("css/site.css")) as sheet:
        text = sheet.read()
    assert "@import" not in text and "sourceMappingURL" not in text
    assert text.index("@layer bootstrap, tokens") < text.index("@layer bootstrap {") < text.index("--paper:")
    assert "box-sizing" in text.partition("@layer tokens {")[0]


def test_sheet_is_rebuilt_when_a_part_is_newer():
    path = finders.find("css/site.css")
    os.utime(path, (0, 0))
    finders.find("css/site.css")
    assert os.stat(path).st_mtime > 0


def test_sheet_is_collected_for_production():
    assert [name for name, _ in JoinedSheetFinder().list([])] == ["css/site.css"]


def test_nothing_else_of_bootstrap_is_collected_for_production(capsys):
    call_command("collectstatic", dry_run=True, interactive=False, verbosity=2)
    collected = set(re.findall(r"bootstrap/((?:css|js)/\S+)'", capsys.readouterr().out))
    assert collected == {"css/bootstrap-reboot.min.css", "css/bootstrap-reboot.min.css.map"}


def test_other_names_are_not_found_by_this_finder():
    assert JoinedSheetFinder().find("css/other.css") == []
    assert finders.find("css/admin.css").endswith("static/css/admin.css")


def test_pages_link_the_joined_sheet_once(client, db):
    page = client.get("/").content.decode()
    assert page.count('rel="stylesheet"') == 1
    assert "css/site.css" in page
