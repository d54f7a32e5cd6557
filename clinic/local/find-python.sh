#!/bin/sh
# Prints the path of a Python >= 3.12, or says in one line that there is none. Each candidate is run: a pyenv shim exists
# for every version that was ever named, and fails when that version is not installed.

home=${HOME:-/nonexistent}
wanted=${PYTHON:-}

ask() {
    "$1" -c 'import sys; sys.version_info >= (3, 12) or sys.exit(1); print(sys.executable)' 2>/dev/null
}

for candidate in "$wanted" python3.14 python3.13 python3.12 python3 \
    "${PYENV_ROOT:-$home/.pyenv}"/versions/3.1[2-9]*/bin/python \
    "$(uv python find --no-project '>=3.12' 2>/dev/null)" \
    "$home"/.local/share/uv/python/cpython-3.1[2-9]*/bin/python3
do
    if [ -n "$candidate" ] && found=$(ask "$candidate"); then
        [ -z "$wanted" ] || [ "$candidate" = "$wanted" ] || echo "PYTHON=$wanted is not a Python 3.12 or newer; using $found." >&2
        echo "$found"
        exit 0
    fi
done
echo "No Python 3.12 or newer was found. Install one (for example: apt install python3 python3-venv, or uv python install 3.13), or name it: make run PYTHON=/path/to/python3" >&2
exit 1
