"""The files that the page is made of, read once, and no other."""

import gzip
import hashlib
from importlib.resources import files
from typing import NamedTuple

_TYPES = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    # uPlot 1.6.32 (https://github.com/leeoniya/uPlot), MIT; see uPlot.LICENSE.
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
}


class File(NamedTuple):
    """One file.

    Attributes:
        content: Its bytes.
        compressed: The same, in gzip.
        media_type: What a browser takes it for.
        etag: Value of the ``ETag`` header.
    """

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


def _read(name: str, media_type: str) -> File:
    content = files(__name__).joinpath(name).read_bytes()
    # Weak, since it stands for the compressed form too (RFC 9110, section 8.8.3).
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
    return File(content, gzip.compress(content, mtime=0), media_type, etag)


STATIC = {name: _read(name, media_type) for name, media_type in _TYPES.items()}
