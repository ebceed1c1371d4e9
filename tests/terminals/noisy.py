"""A project that writes to its terminal in every way there is, numbered, ten times a second."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

FOREIGN = b"\x1b[5;41m"
"""How each of its lines begins: nobody else sends that, so no terminal may ever get it."""
WORD = "FOREIGN"
LINE = re.compile(rf"{WORD} (\w+) (\d+)\.")

SOURCE = '''
import atexit, ctypes, logging, os, subprocess, sys, threading, time, warnings
from celery import Celery

libc = ctypes.CDLL(None)
written = open(os.environ["WRITTEN"], "a", buffering=1)
child = """
import os, sys, time
number, owner, written = 0, os.getppid(), open(os.environ["WRITTEN"], "a", buffering=1)
while os.getppid() == owner:
    os.write(1 + number % 2, b"\\\\x1b[5;41mFOREIGN child %d.\\\\n" % number)
    written.write(f"child {number}\\\\n")
    number += 1
    time.sleep(0.1)
"""

def told(way, number):
    return f"\\x1b[5;41mFOREIGN {way} {number}."

WAYS = {
    "print": lambda line: print(line),
    "stderr": lambda line: print(line, file=sys.stderr),
    "real_stdout": lambda line: (sys.__stdout__.write(line + "\\n"), sys.__stdout__.flush()),
    "real_stderr": lambda line: (sys.__stderr__.write(line + "\\n"), sys.__stderr__.flush()),
    "fd1": lambda line: os.write(1, line.encode() + b"\\n"),
    "fd2": lambda line: os.write(2, line.encode() + b"\\n"),
    "logged": lambda line: logging.getLogger("shop").debug(line),
    "own_logger": lambda line: own.info(line),
    "warned": lambda line: warnings.warn(line),
    "puts": lambda line: libc.puts(line.encode()),
    "system": lambda line: subprocess.run(["echo", line]),
}

logging.basicConfig(level=10)
own = logging.getLogger("shop.own")
own.propagate = False
own.setLevel(10)
own.addHandler(logging.StreamHandler(sys.__stdout__))
warnings.simplefilter("always")

def write(number):
    for way, say in WAYS.items():
        if way != "system" or number % 10 == 0:
            say(told(way, number // 10 if way == "system" else number))
            written.write(f"{way} {number // 10 if way == 'system' else number}\\n")

def chatter():
    number = 1
    while True:
        time.sleep(0.1)
        write(number)
        number += 1

write(0)
atexit.register(lambda: print(told("atexit", 0), "GOODBYE"))
print("no line yet ", end="")
app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
subprocess.Popen([sys.executable, "-c", child])
threading.Thread(target=chatter, daemon=True).start()
'''


def lines_in(text: str) -> set[tuple[str, int]]:
    """Its lines that stand in a text: the way, and the number."""
    return {(way, int(number)) for way, number in LINE.findall(text)}


def written(path: Path) -> set[tuple[str, int]]:
    """What it says it has written."""
    pairs = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {(way, int(number)) for way, number in pairs}


def counted(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """How many of each way."""
    counts: dict[str, int] = {}
    for way, _ in lines:
        counts[way] = counts.get(way, 0) + 1
    return counts
