"""What kombu compressed, unpacked as far as is good for us: a few bytes may hold gigabytes."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Any

COMPRESSIONS = {
    "application/x-gzip": "gzip",
    "application/gzip": "gzip",
    "application/x-bz2": "bzip2",
    "application/x-lzma": "lzma",
    "application/zstd": "zstd",
}
"""Content type as kombu writes it -> its name for people."""
BROKEN = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError)


def decompressed(raw: bytes, compression: str, most_bytes: int) -> bytes | None:
    """The plain bytes; None where they are broken, too many, or packed in another way.

    Raises ImportError where the library that decompresses them is missing.
    """
    try:
        return _decompressed(raw, COMPRESSIONS.get(compression), most_bytes)
    except BROKEN:
        return None


def _decompressed(raw: bytes, kind: str | None, most_bytes: int) -> bytes | None:
    if kind == "gzip":
        unpacker: Any = zlib.decompressobj(47)  # zlib and gzip headers alike
    elif kind == "bzip2":
        unpacker = bz2.BZ2Decompressor()
    elif kind == "lzma":
        unpacker = lzma.LZMADecompressor(memlimit=64 * 1024 * 1024)
    elif kind == "zstd":
        return _zstd(raw, most_bytes)
    else:
        return None
    data: bytes = unpacker.decompress(raw, most_bytes)
    return data if unpacker.eof else None


def _zstd(raw: bytes, most_bytes: int) -> bytes | None:
    """By Python's own module (3.14) or its backport, as kombu does."""
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        from backports import zstd
    try:
        unpacker = zstd.ZstdDecompressor()
        data: bytes = unpacker.decompress(raw, most_bytes)
    except zstd.ZstdError:
        return None
    return data if unpacker.eof else None
