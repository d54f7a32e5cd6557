"""The map of the README, enforced: which room may import which, which way imports run inside a room, what is pure."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "education",
    "assessments",
    "booking",
    "clinic/practice",
    "clinic/outbox",
    "clinic/audit",
    "clinic/local",
    "clinic/demo",
)
PROJECT = "clinic"  # settings, urls, celery, views, admin: the composition root, which may know everyone
SMALL = {"clinic/practice", "clinic/outbox", "clinic/audit"}

ARROWS = {
    "clinic/audit": set(),
    "clinic/practice": {"clinic/audit"},
    "clinic/outbox": {"clinic/practice", "clinic/audit"},
    "education": SMALL,
    "assessments": SMALL | {"education"},
    "booking": SMALL | {"education", "assessments"},
    "clinic/demo": set(ROOMS),
    "clinic/local": set(ROOMS),
}

# Imports inside a room go down this list or sideways, never up.
LAYERS = (
    {"urls", "apps"},
    {"views", "pages", "webhooks", "admin", "tasks", "context", "middleware", "templatetags", "management"},
    {"importing", "trial"},  # a file that staff bring is tried on the very forms that patients fill in
    {"presenters", "staff"},
    {"forms"},
    {"message_kinds"},
    {"actions", "domain"},  # every module that is not named here
    {"calendar_feed", "wait_list"},
    {"messages"},
    {"schedule"},
    {"models"},
    {"pure"},
)

PURE = {
    "clinic/env.py": set(),
    "clinic/service_urls.py": set(),
    "clinic/practice/phone.py": {"phonenumbers"},
    "clinic/practice/zones.py": set(),
    "clinic/practice/money.py": set(),
    "clinic/practice/mail_addresses.py": {"idna"},
    "clinic/practice/mail_domains.py": set(),
    "clinic/practice/names.py": set(),
    "clinic/practice/numbers.py": set(),
    "clinic/outbox/limits.py": set(),
    "clinic/outbox/quiet_hours.py": set(),
    "clinic/outbox/reason_words.py": set(),
    "clinic/outbox/reply_words.py": set(),
    "clinic/outbox/wording.py": set(),
    "clinic/outbox/gsm.py": set(),
    "education/text/rendering.py": {"markdown_it", "nh3"},
    "education/text/prose.py": set(),
    "assessments/questionnaire/model.py": set(),
    "assessments/fhir_json/parsing.py": set(),
    "assessments/questionnaire/checking.py": set(),
    "assessments/red_flag_rules/training_load.py": set(),
    "assessments/questionnaire/controls.py": set(),
    "assessments/questionnaire/readable.py": set(),
    "assessments/fhir_json/answer_options.py": set(),
    "assessments/calculation/calculated_answers.py": set(),
    "assessments/calculation/calculator.py": set(),
    "assessments/questionnaire/score_change.py": set(),
    "assessments/fhir_json/condition_expressions.py": set(),
    "assessments/questionnaire/expressions.py": {"fhirpathpy"},
    "assessments/fhir_json/names.py": set(),
    "assessments/fhir/inspection.py": set(),
    "assessments/questionnaire/instruments.py": set(),
    "assessments/questionnaire/patterns.py": {"re2"},
    "assessments/fhir/r5.py": set(),
    "assessments/fhir/response_checking.py": set(),
    "assessments/calculation/response_items.py": set(),
    "assessments/fhir/strict_json.py": set(),
    "assessments/questionnaire/structure.py": set(),
    "assessments/questionnaire/typed_answers.py": set(),
    "assessments/questionnaire/answer_limits.py": set(),
    "assessments/fhir_json/repeat_expansion.py": set(),
    "assessments/red_flag_rules/near_misses.py": set(),
    "education/body/body_map.py": set(),
    "education/text/picture_markup.py": set(),
    "education/articles/share_image.py": {"PIL", "font_source_serif_pro"},
    "education/text/readability.py": set(),
    "education/body/load_bands.py": set(),
    "education/body/pain_guide.py": set(),
    "education/body/body_sites.py": set(),
    "education/text/query_words.py": set(),
    "education/body/warning_signs.py": set(),
    "education/text/differences.py": set(),
    "education/text/article_file.py": set(),
    "assessments/questionnaire/enablement.py": set(),
    "assessments/questionnaire/scoring.py": set(),
    "assessments/red_flag_rules/evaluation.py": set(),
    "assessments/red_flag_rules/format.py": set(),
    "assessments/red_flag_rules/states.py": set(),
    "assessments/red_flag_rules/coverage.py": set(),
    "assessments/fhir_json/canonical.py": set(),
    "booking/time/caps.py": set(),
    "booking/time/holidays.py": set(),
    "booking/time/day_parts.py": set(),
    "booking/time/intervals.py": set(),
    "booking/time/opening_hours.py": set(),
    "booking/time/hours_text.py": set(),
    "booking/models/visit_states.py": set(),
}


def python_files(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]


def imports_of(path: Path) -> list[tuple[str, int]]:
    """(dotted module, line) for every import in the file, relative ones made absolute; `from a import b` gives a.b."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found = []
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            found += [
                (f"{base}{node.module or ''}.{alias.name}".replace("..", "."), node.lineno) for alias in node.names
            ]
    return found


def room_of(dotted: str) -> str | None:
    """The room a dotted name lies in, `clinic` for the composition root, None for what is not ours."""
    path = dotted.replace(".", "/") + "/"
    for room in ROOMS:
        if path.startswith(room + "/"):
            return room
    return PROJECT if path.startswith("clinic/") else None


def layer_of(room: str, dotted_or_path: str) -> int:
    parts = dotted_or_path.removeprefix(room.replace("/", ".") + ".").split(".")
    if f"{room}/{parts[0]}.py" in PURE or any(f"{room}/{'/'.join(parts[:n])}.py" in PURE for n in (2, 3)):
        return len(LAYERS) - 1
    for number, names in enumerate(LAYERS):
        if parts[0] in names:
            return number
    return next(number for number, names in enumerate(LAYERS) if "domain" in names)


def dotted_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_rooms(room):
    allowed = ARROWS[room] | {room}
    faults = []
    for path in python_files(room):
        for name, line in imports_of(path):
            target = room_of(name)
            may_know_root = room in ("clinic/local", "clinic/demo") or name.startswith("clinic.env.")
            if target is None or target in allowed or (target == PROJECT and may_know_root):
                continue
            faults.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not faults, "against the arrows:\n" + "\n".join(faults)


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"clinic/demo", "clinic/local"}))
def test_layers_inside_a_room(room):
    prefix = room.replace("/", ".") + "."
    faults = []
    for path in python_files(room):
        own = dotted_name(path)
        if own == room.replace("/", "."):
            continue
        for name, line in imports_of(path):
            if name.startswith(prefix) and layer_of(room, name) < layer_of(room, own):
                if own.endswith(".apps"):
                    continue
                faults.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not faults, "upwards inside a room:\n" + "\n".join(faults)


@pytest.mark.parametrize("path", sorted(PURE))
def test_pure_module_knows_only_the_standard_library_and_other_pure_modules(path):
    allowed = set(sys.stdlib_module_names) | PURE[path]
    others = {f"{Path(p).with_suffix('')}".replace("/", ".") for p in PURE}
    faults = []
    for name, line in imports_of(ROOT / path):
        if name.split(".")[0] not in allowed and not any(name.startswith(other + ".") for other in others):
            faults.append(f"{path}:{line} imports {name}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", sorted(PURE))
def test_pure_module_has_no_clock(path):
    clocks = {"now", "utcnow", "today", "time", "monotonic"}
    faults = [
        f"{path}:{node.lineno} asks the clock: {ast.unparse(node)}"
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in clocks
        and ast.unparse(node.func.value)
        in ("datetime", "datetime.datetime", "date", "datetime.date", "time", "dt", "dt.date")
        and not node.args
    ]
    assert not faults, "\n".join(faults)


def test_signals_are_not_used():
    words = ("django.db.models.signals", "django.dispatch", "django.core.signals")
    faults = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room in (*ROOMS, PROJECT)
        for path in python_files(room)
        for name, line in imports_of(path)
        if name.startswith(words)
    ]
    assert not faults, "\n".join(faults)


def test_modules_have_names_that_say_what_they_hold():
    vague = {"utils", "helpers", "common", "manager", "managers", "service", "services", "misc"}
    clinic_services = {"booking/models/service.py", "booking/admin/services.py"}  # what patients book
    files = [str(path.relative_to(ROOT)) for room in (*ROOMS, PROJECT) for path in python_files(room)]
    faults = [name for name in files if Path(name).stem in vague and name not in clinic_services]
    assert not faults, "\n".join(faults)


def test_templates_carry_no_inline_script_or_style():
    """The content security policy would refuse them; mail is read elsewhere and needs its style attributes."""
    faults = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if "emails" in path.parts:
            continue
        text = path.read_text()
        for bad in (" style=", "<style", "onclick=", "onchange=", "onsubmit=", "javascript:"):
            if bad in text:
                faults.append(f"{path.relative_to(ROOT)}: {bad.strip()}")
    assert not faults, "\n".join(faults)


def test_own_javascript_stays_small():
    lines = sum(len(path.read_text().splitlines()) for path in (ROOT / "static/js").rglob("*.js"))
    assert lines < 300, f"{lines} lines of our own JavaScript"
