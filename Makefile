# Needs git, make and a Python >= 3.12; everything else is installed into this folder.
# The commands themselves are in clinic/local/.

LOCAL := .venv/bin/python -m clinic.local
UV := .venv/bin/python -m uv

.DEFAULT_GOAL := help
.PHONY: help setup run test check proof fault-test bench screenshot contact-sheet manage lock reset

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'

setup: ## install what requirements-dev.txt pins into .venv; the other commands do it by themselves
	@cmp -s requirements-dev.txt .venv/installed.txt && .venv/bin/python -c '' 2>/dev/null || \
		{ python=$$(sh clinic/local/find-python.sh) && "$$python" clinic/local/install.py; }

run: setup ## the whole site on this machine; PORT=8001 chooses another port
	@exec $(LOCAL) run

test: setup ## all tests on a real Postgres and Valkey, with their coverage; T="tests/booking -k slot" chooses some
	@exec $(LOCAL) test -n 2 $(or $(T),--cov)

check: setup ## lint, format, types, migrations, deployment settings, known vulnerabilities, architecture
	@exec $(LOCAL) check

proof: setup ## the site as deploy/ runs it, from requirements.txt alone: a booked visit, its mail, a dead worker, a lost key
	@exec $(LOCAL) proof

fault-test: setup ## the tests that kill workers, brokers and supervisors
	@exec $(LOCAL) test -m fault $(T)

bench: setup ## the measurements, as tables
	@exec $(LOCAL) test -m bench -s -q $(T)

screenshot: setup ## make the README's picture anew
	@mkdir -p docs && SCREENSHOT=$(CURDIR)/docs/screenshot.png $(LOCAL) test -q -m long tests/journeys/test_screenshot.py

contact-sheet: setup ## draw all exercises anew, in light and in dark
	@CONTACT_SHEET=$(CURDIR)/docs $(LOCAL) test -q -m long tests/journeys/test_contact_sheet.py

manage: setup ## Django's command line on the running site's database: make manage c="shell"
	@exec $(LOCAL) manage $(c)

lock: setup ## pin requirements*.in anew, with hashes; U=--upgrade takes newer versions
	@for name in requirements requirements-dev; do \
		$(UV) pip compile -q --universal --python-version 3.12 --generate-hashes --no-header $(U) -o $$name.txt $$name.in || exit 1; \
	done; ! grep -n '://' requirements.txt requirements-dev.txt

reset: setup ## delete the local database, broker data and mailbox
	@exec $(LOCAL) reset
