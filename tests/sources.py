"""The project's own Python files, for tests of the code itself."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python_files(folder: str) -> list[Path]:
    """Return the files below `folder`, a path from the root, without migrations."""
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]
