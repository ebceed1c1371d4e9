"""What moves on a screen by itself, and so is never the same twice."""

from __future__ import annotations

import re

MOVING = (
    (re.compile(r"[<>~]?\d+(?:\.\d+)? ?(?:ms|s|m|h)(?:\d+[ms])?\b"), "AGE"),
    (re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?"), "TIME"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"\b\d+M\b"), "SIZE"),
    (re.compile(r"~?\d+\.\d+"), "RATE"),
    (re.compile(r"\d+(?= (?:events|answers|readings|results)\b)"), "MANY"),
    (re.compile(r"(?:^| )+told MANY (?:events|answers|readings|results)\b"), ""),
    (re.compile(r"\b\d{3,7}\b"), "PID"),
    (re.compile(r"\b20\d{6}T\S+"), "DATE"),
    (re.compile(r"'/\S*"), "PATH"),
    (re.compile(r"[▁▂▃▄▅▆▇█]+(?: +[▁▂▃▄▅▆▇█]+)*"), "CHART"),
    (re.compile(r"^ *TIME .*▴.*"), "AXIS"),
    (re.compile(r", 20 min ─.*"), ", 20 min"),
    (re.compile(r"^.*\bact +(?:purge|undo) .*\bsent, \d+ of .*"), ""),
    (re.compile(r"\bread (?:now|AGE ago)"), "read AGE"),
    (re.compile(r"\bprefetch +\d+"), "prefetch MANY"),
    (re.compile(r"^.*\bresults +link lost.*"), ""),
    (re.compile(r"^ */min .*"), "MINUTE"),
    (re.compile(r"^ *apart so far, as if it went on for a minute"), ""),
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r"\s+"), " "),
)
"""Ages, times, ports and bars are never the same twice, nor how far apart words stand.

What a minute brings is known after some seconds, and by more than them after a minute; where a
chart says when we attached depends on how long ago that was. How far an act is, is logged of one
that takes long; a task with an ETA raises the prefetch, which is asked for once a minute; a result
backend that answers late is lost for a moment. How much a source has told stands in the next
line, where its address or its latency is long.
"""


def same(line: str) -> str:
    """A line without what moves, the cursor among it: rows stand as they were heard of."""
    for pattern, word in MOVING:
        line = pattern.sub(word, line)
    return line.strip("▐ ")
