"""Ask one of the site's probes: exit 0 if it responds with 200, else print why and exit 1.

python deploy/probe.py http://127.0.0.1:8000/ready/ [SECONDS]   keep asking for so many seconds
"""

import sys
import time
import urllib.error
import urllib.request

PAUSE_S = 0.5


def ask(url: str) -> str:
    """Return what is wrong, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310 - the operator's own address
            return ""
    except urllib.error.HTTPError as answer:
        return f"{url} answers {answer.code}: {answer.read(500).decode(errors='replace')}"
    except OSError as fault:
        return f"{url} does not answer: {fault}"


def main(url: str, seconds: str = "0") -> str:
    """Ask until the probe passes or the time is up."""
    deadline = time.monotonic() + float(seconds)
    while (fault := ask(url)) and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
    return fault


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
