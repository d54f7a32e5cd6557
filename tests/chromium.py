"""Find and start options of Chromium."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str | None:
    """Return `$CHROMIUM`, else a Chromium or Chrome on the PATH, else one that Playwright installed, else None."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen if Path(chosen).exists() else None
    for name in NAMES:
        if found := shutil.which(name):
            return found
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache/ms-playwright"))
    return next((str(path) for path in sorted(cache.glob("chromium-*/chrome-*/chrome"))), None)


def launch_flags() -> list[str]:
    """Return flags that keep Chromium quiet. Its sandbox is off only for root, who cannot start it otherwise."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
