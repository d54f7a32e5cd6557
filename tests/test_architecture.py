"""The README's map, enforced: imports between rooms and inside a room, walls, and pure modules."""

import ast
import sys
from pathlib import Path

import pytest

from tests.sources import ROOT, python_files

ROOMS = (
    "education",
    "assessments",
    "booking",
    "clinic/practice",
    "clinic/outbox",
    "clinic/audit",
    "clinic/responses",
    "clinic/local",
    "clinic/demo",
)
PROJECT = "clinic"  # settings, urls, celery, views, admin: the composition root, which may import every room
SMALL = {"clinic/practice", "clinic/outbox", "clinic/audit", "clinic/responses"}

ARROWS = {
    "clinic/responses": set(),
    "clinic/audit": {"clinic/responses"},
    "clinic/practice": {"clinic/audit", "clinic/responses"},
    "clinic/outbox": {"clinic/practice", "clinic/audit", "clinic/responses"},
    "education": SMALL,
    "assessments": SMALL | {"education"},
    "booking": SMALL | {"education", "assessments"},
    "clinic/demo": set(ROOMS),
    "clinic/local": set(ROOMS),
}

# Imports inside a room go down these floors or to the same floor, never up. A name is a folder or a module of the room.
FLOORS = {
    "education": (
        {"apps", "urls"},
        {"admin", "management", "templatetags", "views"},
        {"forms", "today"},
        {"articles"},
        {"exercises"},
        {"models"},
        {"body", "drawing", "text"},
    ),
    "assessments": (
        {"apps", "urls"},
        {"admin", "management", "templatetags"},
        {"fhir"},  # a wall: see WALLS
        {"pages"},
        {"presenters"},
        {"forms"},
        {"holdings", "intake", "message_kinds", "today"},
        {"red_flags"},
        {"models"},
        {"calculation", "fhir_json", "red_flag_rules"},
        {"known_questions", "questionnaire"},
    ),
    "booking": (
        {"apps", "urls"},
        {"admin", "pages", "sitemaps", "tasks", "templatetags"},
        {"presenters", "staff", "week"},
        {"limits"},
        {"browser", "converters", "forms"},
        {"message_kinds"},
        {"actions"},
        {"calendar_feed", "wait_list"},
        {"messages"},
        {"schedule"},
        {"models"},
        {"time"},
    ),
    "clinic/practice": (
        {"apps"},
        {"admin", "context", "middleware", "templatetags"},
        {"fields", "panels", "saving", "today"},
        {"access", "people", "registry"},
        {"batches", "cleanup_runs", "models"},
        {"values"},
    ),
    "clinic/outbox": (
        {"apps", "urls"},
        {"admin", "tasks", "templatetags", "views", "webhooks"},
        {"forms", "holdings", "panels", "sending", "today"},
        {"message_kinds", "texts"},
        {"messages"},
        {"models"},
        {"text"},
    ),
    "clinic/responses": (
        {"addresses", "admin_addresses", "headers", "htmx", "public_models", "redirects", "remote_address"},
    ),
    "clinic/audit": (
        {"apps"},
        {"admin", "management", "middleware"},
        {"database", "reports"},
        {
            "access",
            "browsers",
            "fields",
            "keys",
            "models",
            "reading",
            "rotation",
            "sealing",
            "searching",
            "sign_ins",
            "unopened",
        },
    ),
    "clinic/local": (
        {"__main__"},
        {"checks", "commands", "supervisor"},
        {"proof"},
        {"install", "prepare", "servers"},
        {"mailbox"},
        {"processes"},
    ),
    "clinic/demo": ({"management"}, {"clinic", "visits"}, {"intakes", "login"}),
}

MOST_MODULES = 13
DJANGO_FOLDERS = {"commands", "management", "templatetags"}

VIEWS = ("assessments/pages", "booking/pages", "education/views")

# Folders that only the listed folders may import.
WALLS = {
    "assessments.fhir": {"assessments/admin", "assessments/management", "assessments/fhir"},
    "clinic.demo": {"clinic/demo", "clinic/local"},
    "clinic.local": {"clinic/local"},  # clinic/urls.py includes its URLs by name, only if MAILBOX_DIR is set
}

# Files without Django, clock or subprocess, and the third-party packages that each may import.
PURE = {
    "assessments/questionnaire": {"fhirpathpy", "re2"},
    "assessments/calculation/response_items.py": set(),
    "assessments/fhir/r5.py": set(),
    "assessments/fhir/strict_json.py": set(),
    "assessments/fhir_json": set(),
    "assessments/known_questions.py": set(),
    "assessments/red_flag_rules": set(),
    "booking/models/visit_modes.py": set(),
    "booking/models/visit_states.py": set(),
    "booking/time": set(),
    "booking/week/layout.py": set(),
    "clinic/env.py": set(),
    "clinic/outbox/text": set(),
    "clinic/practice/values": {"idna", "phonenumbers"},
    "clinic/service_urls.py": set(),
    "education/body": set(),
    "education/drawing": set(),
    "education/text": {"markdown_it", "mdit_py_plugins", "nh3"},
    "education/articles/share_image.py": {"PIL", "font_source_serif_pro"},
}


def imports_of(path: Path) -> list[tuple[str, int]]:
    """Return (dotted module, line) of every import, with relative ones made absolute; `from a import b` gives a.b."""
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
    """Return the room of a dotted name: `clinic` for the composition root, None for third-party packages."""
    path = dotted.replace(".", "/") + "/"
    for room in ROOMS:
        if path.startswith(room + "/"):
            return room
    return PROJECT if path.startswith("clinic/") else None


def floor_of(room: str, dotted: str) -> int | None:
    """Return the number of the floor of a module or of a name in it, counted from the top, or None if it has none."""
    name = dotted.removeprefix(room.replace("/", ".") + ".").split(".")[0]
    return next((number for number, names in enumerate(FLOORS[room]) if name in names), None)


def pure_files() -> list[str]:
    """Return every pure module as a path from the root."""
    files = [path for pure in PURE for path in ([ROOT / pure] if pure.endswith(".py") else python_files(pure))]
    return sorted(str(path.relative_to(ROOT)) for path in files)


def dotted_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_along_the_arrows(room):
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


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_imports_inside_a_room_go_down_the_floors(room):
    prefix = room.replace("/", ".") + "."
    faults = []
    for path in python_files(room):
        own = dotted_name(path)
        if own + "." == prefix:
            continue
        floor = floor_of(room, own)
        if floor is None:
            faults.append(f"{path.relative_to(ROOT)} is on no floor")
            continue
        for name, line in imports_of(path):
            if name.startswith(prefix) and (floor_of(room, name) or 0) < floor:
                faults.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not faults, "upwards inside a room:\n" + "\n".join(faults)


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_floors_name_only_existing_modules(room):
    there = {path.relative_to(ROOT / room).with_suffix("").parts[0] for path in python_files(room)}
    assert set().union(*FLOORS[room]) <= there


@pytest.mark.parametrize("folder", VIEWS)
def test_views_do_not_import_views(folder):
    prefix = folder.replace("/", ".") + "."
    faults = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in python_files(folder)
        for name, line in imports_of(path)
        if name.startswith(prefix)
    ]
    assert not faults, "what views share is for presenters, forms or the domain:\n" + "\n".join(faults)


@pytest.mark.parametrize("wall", sorted(WALLS))
def test_walled_folder_is_imported_only_by_its_list(wall):
    faults = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for room in (*ROOMS, PROJECT)
        for path in python_files(room)
        if not any(path.is_relative_to(ROOT / allowed) for allowed in WALLS[wall])
        for name, line in imports_of(path)
        if name.startswith(wall + ".")
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("room", ["assessments", "booking", "clinic", "education"])
def test_folder_has_at_most_thirteen_modules_and_says_what_it_is_for(room):
    faults = []
    for folder in sorted({path.parent for path in python_files(room)}):
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > MOST_MODULES:
            faults.append(f"{folder.relative_to(ROOT)} holds {len(modules)} modules")
        if folder.name not in DJANGO_FOLDERS and not ast.get_docstring(ast.parse((folder / "__init__.py").read_text())):
            faults.append(f"{folder.relative_to(ROOT)}/__init__.py does not say what it is for")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", pure_files())
def test_pure_module_imports_only_the_standard_library_and_other_pure_modules(path):
    own = next(packages for pure, packages in PURE.items() if path.startswith(pure))
    allowed = (set(sys.stdlib_module_names) - {"subprocess", "multiprocessing", "threading"}) | own
    others = tuple(str(Path(name).with_suffix("")).replace("/", ".") + "." for name in pure_files())
    faults = [
        f"{path}:{line} imports {name}"
        for name, line in imports_of(ROOT / path)
        if name.split(".")[0] not in allowed and not name.startswith(others)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", pure_files())
def test_pure_module_does_not_read_the_clock(path):
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


def test_module_names_are_specific():
    vague = {"utils", "helpers", "common", "manager", "managers", "service", "services", "misc"}
    clinic_services = {"booking/models/service.py", "booking/admin/services.py"}  # services that patients book
    files = [str(path.relative_to(ROOT)) for room in (*ROOMS, PROJECT) for path in python_files(room)]
    faults = [name for name in files if Path(name).stem in vague and name not in clinic_services]
    assert not faults, "\n".join(faults)
