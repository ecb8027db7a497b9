"""The compiled extension, where it was built; else nothing, and Python does the work."""

import contextlib
from typing import Literal

ForeignFrames: "type[_speedups.ForeignFrames] | None" = None
SampleScanner: "type[_speedups.SampleScanner] | None" = None

IMPLEMENTATION: Literal["compiled", "pure"] = "pure"
"""Which version of the hot loops runs."""

with contextlib.suppress(ImportError):
    from parsers import _speedups

    ForeignFrames = _speedups.ForeignFrames
    SampleScanner = _speedups.SampleScanner
    IMPLEMENTATION = "compiled"
