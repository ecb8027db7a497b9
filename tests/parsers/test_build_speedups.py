"""The compiled extension is built where it can be, and not missed elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployed import copy_sources
from tests.serving import find_program

NAME = "parsers/_speedups.abi3.so"
WHICH = "import parsers; print(parsers.IMPLEMENTATION)"


def run(folder: Path, *arguments: str, cc: str | None = None) -> str:
    """Run Python in a checkout; return what it prints."""
    environ = {name: value for name, value in os.environ.items() if name != "CC"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(folder), **({"CC": cc} if cc else {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    copy_sources(tmp_path, "parsers", "build_speedups.py")
    return tmp_path


def test_it_is_built_and_used(checkout: Path) -> None:
    find_program("cc")

    assert run(checkout, "-c", WHICH) == "pure\n"
    assert run(checkout, "build_speedups.py") == "Compiled extension built.\n"
    assert run(checkout, "-c", WHICH) == "compiled\n"


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_pure_python_serves_where_there_is_no_compiler(
    checkout: Path, compiler: str
) -> None:
    (checkout / NAME).write_bytes(b"an older build")
    shown = run(checkout, "build_speedups.py", cc=compiler)

    assert shown.endswith("Compiled extension not built; the agent uses pure Python.\n")
    assert compiler in shown
    assert not list(checkout.glob("parsers/*.so*"))
    assert run(checkout, "-c", WHICH) == "pure\n"


def test_what_cannot_be_imported_is_not_kept(checkout: Path) -> None:
    find_program("cc")
    source = checkout / "parsers" / "native" / "speedups.c"
    source.write_text(source.read_text().replace("PyInit__speedups", "PyInit_other"))
    shown = run(checkout, "build_speedups.py")

    assert "PyInit__speedups" in shown
    assert not list(checkout.glob("parsers/*.so*"))
