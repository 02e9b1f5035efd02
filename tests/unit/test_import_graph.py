"""Dependencies point one way: spec <- hardware, models <- simulation <- host.

The rules stand here once, as a table; ARCHITECTURE.md draws the same arrows.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = {
    "gibbsite_hw": "hw",
    "gibbsite_models": "models",
    "gibbsite_sim": "sim",
    "gibbsite": "host",
}
# layer -> layers of ours that it may import, besides itself
MAY_IMPORT = {
    "spec": set(),
    "hw": {"spec"},
    "models": {"spec"},
    "sim": {"spec", "hw", "models"},
    "host": {"spec", "models", "sim"},
}
# imports from elsewhere that a layer must do without
MUST_NOT_IMPORT = {
    "models": {"amaranth", "cocotb", "pyuvm", "verilator"},
    "host": {"amaranth", "cocotb", "pyuvm", "verilator"},
}


def layer(module: str) -> str | None:
    """Return the layer that a dotted module name belongs to; None where it is not ours."""
    if module == "gibbsite_hw.spec" or module.startswith("gibbsite_hw.spec."):
        return "spec"
    return PACKAGES.get(module.split(".")[0])


def imports(source: str, module: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every import in a module, also those inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            # `from gibbsite_hw import spec` names a module too, so the names count as well
            for name in node.names:
                yield node.lineno, f"{base}.{name.name}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            for word in node.args:
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    yield node.lineno, word.value


def violations(source: str, module: str) -> list[str]:
    """Return one sentence for each import that points the wrong way."""
    own = layer(module)
    assert own is not None, module
    found = []
    for line, name in imports(source, module):
        other, root = layer(name), name.split(".")[0]
        if other is not None:
            wrong = other != own and other not in MAY_IMPORT[own]
        else:
            wrong = root in MUST_NOT_IMPORT.get(own, set()) or (
                own == "spec" and root not in sys.stdlib_module_names
            )
        if wrong:
            found.append(f"{module}:{line}: {own} must not import {name}")
    return found


def modules(checkout: Path) -> dict[str, Path]:
    """Return every module of the four packages by its dotted name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted((checkout / folder / package).rglob("*.py")):
            parts = path.relative_to(checkout / folder).with_suffix("").parts
            # a package keeps its `__init__`, so that relative imports count from the right level
            found[".".join(parts)] = path
    return found


def test_dependencies_point_one_way(checkout: Path) -> None:
    sources = modules(checkout)
    assert len(sources) > 20, "the packages were not found"
    found = [
        sentence
        for module, path in sources.items()
        for sentence in violations(path.read_text(encoding="utf-8"), module)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gibbsite_hw.spec.packets", "import numpy"),
        ("gibbsite_hw.spec.packets", "from gibbsite_hw.graph import GraphEngine"),
        ("gibbsite_hw.graph", "from gibbsite_models.golden import graph"),
        ("gibbsite_models.golden.graph", "from gibbsite_hw.graph import GraphEngine"),
        ("gibbsite_models.golden.graph", "def late():\n    import amaranth.sim"),
        ("gibbsite_models.certificate", "from gibbsite.sampler import Sampler"),
        ("gibbsite_sim.device", "import gibbsite"),
        ("gibbsite.driver", "from amaranth import Module"),
        ("gibbsite.driver", "import_module('gibbsite_hw.graph')"),
        ("gibbsite_hw.spec.__init__", "from ..graph import GraphEngine"),
    ],
)
def test_a_planted_violation_is_seen(module: str, source: str) -> None:
    assert violations(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gibbsite_hw.graph", "from amaranth import Module\nfrom gibbsite_hw.spec import packets"),
        ("gibbsite_models.golden.graph", "import numpy\nfrom gibbsite_hw.spec.tables import X"),
        ("gibbsite_sim.device", "from gibbsite_hw.device import D\nimport gibbsite_models"),
        ("gibbsite.devices", "from gibbsite_sim.device import SimulatedDevice"),
        ("gibbsite_hw.spec.packets", "from .registers import State\nimport dataclasses"),
    ],
)
def test_a_permitted_import_passes(module: str, source: str) -> None:
    assert not violations(source, module)
