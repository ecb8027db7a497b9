"""Build the compiled extension in place: ``python build_speedups.py``.

Needs a C compiler (``$CC``, or the one that built this Python) and Python's headers, and
nothing that has to be installed first: Heroku, the Dockerfile and the Makefile run it in a
checkout, and `hatch_build.py` runs it for pip. The extension is optional: where it cannot
be built, this says why and exits with 0, and the agent uses the pure Python versions.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parent
SOURCE = ROOT / "parsers" / "native" / "speedups.c"
TARGET = ROOT / "parsers" / "_speedups.abi3.so"

_TIMEOUT_SECONDS = 300
_IMPORT = """\
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
loader = ExtensionFileLoader("_speedups", sys.argv[1])
spec = ModuleSpec("_speedups", loader, origin=sys.argv[1])
loader.exec_module(loader.create_module(spec))
"""


def compile_extension(target: Path, *options: str) -> None:
    """Compile the extension.

    Args:
        target: The file to write.
        options: Further options of the compiler.

    Raises:
        OSError: The compiler cannot be started.
        subprocess.SubprocessError: It failed.
    """
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    on_mac = ["-bundle", "-undefined", "dynamic_lookup"]
    command = [
        *shlex.split(compiler),
        *("-std=c11", "-O2", "-fPIC", "-fvisibility=hidden"),
        *(on_mac if sys.platform == "darwin" else ["-shared"]),
        *options,
        f"-I{sysconfig.get_path('include')}",
        *(str(SOURCE), "-o", str(target)),
    ]
    _run(command)


def _run(command: list[str]) -> None:
    subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
    )


def build(target: Path = TARGET) -> bool:
    """Build the extension and import it once, or say why that failed.

    Args:
        target: The file to write. It does not exist after a failure.

    Returns:
        Whether the extension was built.
    """
    # A running agent may have the old file mapped, so it is replaced and not written to.
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        compile_extension(unfinished)
        _run([sys.executable, "-c", _IMPORT, str(unfinished)])
    except (OSError, subprocess.SubprocessError) as error:
        target.unlink(missing_ok=True)
        unfinished.unlink(missing_ok=True)
        detail = str(getattr(error, "stderr", None) or error).strip()
        print(f"{detail}\nCompiled extension not built; the agent uses pure Python.")
        return False
    unfinished.replace(target)
    print("Compiled extension built.")
    return True


if __name__ == "__main__":
    build()
