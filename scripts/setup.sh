# Sourced by the scripts beside it: a virtual environment with what they need, and servers.
# Every message goes to stderr; stdout belongs to what the script runs.

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Installs Debian packages if we may; false where we may not.
apt_install() {
    command -v apt-get >/dev/null || return 1
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
        apt-get install -q -y --no-install-recommends "$@")
    say "Installing $* with apt …"
    # The package lists of a fresh machine are empty: fetch them only when needed.
    "${install[@]}" </dev/null >&2 2>/dev/null && return
    "${as_root[@]}" apt-get update -q </dev/null >&2 && "${install[@]}" </dev/null >&2
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Prints the path of a Python that is new enough.
find_python() {
    local name path
    for name in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14 python; do
        path=$(command -v "$name") && is_new_enough "$path" && { echo "$path"; return; }
    done
    return 1
}

# new_venv PYTHON FOLDER: Debian ships venv and pip apart from Python.
new_venv() {
    "$1" -m venv "$2" >/dev/null 2>&1 && return
    rm -rf "$2"
    local version
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    { apt_install "python$version-venv" || apt_install python3-venv; } \
        && "$1" -m venv "$2" >&2 && return
    rm -rf "$2"
    die "Python cannot make a virtual environment here: install the package python$version-venv (as root: apt-get install python$version-venv) and start this again."
}

# ensure_venv FOLDER WHAT…: installs the project with pip's arguments WHAT, unless that is done.
ensure_venv() {
    local folder=$1 python stamp
    shift
    stamp=$( (cat pyproject.toml constraints.txt scripts/setup.sh; pwd; echo "$@") | cksum)
    [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ] \
        && is_new_enough "$folder/bin/python" && return
    if ! is_new_enough "$folder/bin/python" || ! "$folder/bin/python" -m pip --version >/dev/null 2>&1
    then
        python=$(find_python) \
            || die "celery-tui needs Python 3.11 or newer; none was found on PATH (name one with PYTHON=/path/to/python)."
        say "Making a virtual environment in $folder with $python …"
        rm -rf "$folder"
        new_venv "$python" "$folder"
    fi
    say "Installing into $folder …"
    # Dependency groups are known to pip since 25.1.
    "$folder/bin/python" -m pip install -qq --disable-pip-version-check 'pip>=25.1' </dev/null >&2 \
        && "$folder/bin/python" -m pip install -qq --disable-pip-version-check \
            -c constraints.txt "$@" </dev/null >&2 \
        || die "The installation failed; the lines above say why. Is a package index reachable?"
    echo "$stamp" >"$folder/stamp"
}

# A virtual environment with everything that developing needs.
ensure_dev_venv() { ensure_venv .venv -e . --group dev; }

has_redis() { command -v redis-server >/dev/null || command -v valkey-server >/dev/null; }
