"""The files that the page is made of, read once, and no other."""

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
        media_type: What a browser takes it for.
    """

    content: bytes
    media_type: str


STATIC = {
    name: File(files(__name__).joinpath(name).read_bytes(), media_type)
    for name, media_type in _TYPES.items()
}
