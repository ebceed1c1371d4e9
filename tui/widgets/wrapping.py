"""Long sentences over several lines: between words, by cells, never inside a wide character."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells


def wrapped(text: str, width: int, most: int = 0, cut: str = "…") -> list[str]:
    """``text`` in lines of at most ``width`` cells; beyond ``most`` lines (0: all) it is cut."""
    width = max(4, width)
    lines = _lines(text, width)
    if most and len(lines) > most:
        lines = lines[:most]
        last = chop_cells(lines[-1], width - len(cut))
        lines[-1] = (last[0] if last else "").rstrip() + cut
    return lines


def _lines(text: str, width: int) -> list[str]:
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        size = cell_len(word)
        if line and used + 1 + size <= width:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            lines.append(line)
        *whole, line = chop_cells(word, width) or [""]
        lines += whole
        used = cell_len(line)
    return [*lines, line]
