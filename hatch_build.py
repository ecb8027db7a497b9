"""Hatchling's build hook: the compiled extension, where a compiler is at hand."""

import runpy
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SpeedupsBuildHook(BuildHookInterface[Any]):
    """Puts the extension into the wheel, or beside its source for an editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the extension; a wheel without it stays one for all platforms."""
        script = runpy.run_path(str(Path(self.root, "build_speedups.py")))
        if version == "editable":
            script["build"]()
            return
        self._folder = Path(tempfile.mkdtemp(prefix="speedups-"))
        target = self._folder / script["TARGET"].name
        if script["build"](target):
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"cp311-abi3-{platform}"
            build_data["pure_python"] = False
            build_data["force_include"][str(target)] = f"parsers/{target.name}"

    def finalize(
        self,
        version: str,
        build_data: dict[str, Any],  # noqa: ARG002 (hatchling's signature)
        artifact_path: str,  # noqa: ARG002 (hatchling's signature)
    ) -> None:
        """Delete what was only needed to fill the wheel."""
        if version != "editable":
            shutil.rmtree(self._folder)
