"""Builds the simulated device: Amaranth to Verilog, Verilator to C++, g++ to one shared library.

Verilator's program and the compiler are called directly: its generated makefiles fail with g++ on
precompiled headers, cannot live in folders with spaces, and cannot tell how far they are.
"""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import ClassVar

from gibbsite_hw import spec
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError, ToolMissing
from gibbsite_hw.spec.packets import Engine
from gibbsite_sim.toolchain import PACKAGES_HINT, Toolchain, find_toolchain, versions

__all__ = ["BuildFailed", "Recipe", "Stage"]

Stage = Callable[[str, int, int], None]
"""Called with (what is being done, parts done, parts in all) as a build goes on; may raise."""

LIBRARY = "device.so"
HERE = Path(__file__).resolve().parent
HARNESS = HERE / "harness.cpp"
BENCH = HERE / "bench.v"
WAVES = HERE / "waves"
"""Stand-ins for the two compression libraries that the waveform writer wants."""

SMALL = 65536
"""Bytes up to which generated files are compiled together."""

_VERILATOR_FLAGS = (
    *("--cc", "--prefix", "Vdevice", "--top-module", "gibbsite_bench", "--quiet", "--no-timing"),
    *("-Mdir", "model"),
    *("-O3", "--x-assign", "fast", "--x-initial", "0", "--noassert"),
    *("--timescale-override", "1ns/1ns"),
    # Amaranth's own diagnostics stand in for these: its Verilog is generated, not written.
    *("-Wno-lint", "-Wno-style", "-Wno-fatal"),
    *("--output-split", "60000", "--output-split-cfuncs", "1500"),
)
_WAVES_FLAGS = ("--trace-fst", "--trace-structs", "--trace-max-array", "0")
_COMMON = ("-std=c++20", "-fPIC", "-pipe", "-fvisibility-inlines-hidden", "-w")
_FAST = ("-O2", "-fno-plt", "-fcf-protection=none", "-fno-stack-protector")
_SLOW = ("-O0",)  # runs once, when a model is made
_RUNTIME_LEVEL = ("-O1",)  # a few calls a cycle; -O2 would take as long as the model itself
_DEFINES = (
    "VERILATOR=1",
    "VM_COVERAGE=0",
    "VM_SC=0",
    "VM_TIMING=0",
    "VM_TRACE_VCD=0",
    "VM_TRACE_SAIF=0",
)
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_FULL = ("No space left on device", "File size limit", "File too large", "Disk quota exceeded")


class BuildFailed(DeviceError):
    """A tool that could not build the simulated device; holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One library: the device of these parameters, with or without a waveform writer."""

    parameters: DeviceParameters
    waves: bool = False
    harness: ClassVar[Path] = HARNESS
    """The C++ that drives the model."""
    bench: ClassVar[Path] = BENCH
    """The Verilog around it, of the module ``gibbsite_bench``."""

    def facts(self) -> list[str]:
        """What the library depends on besides sources and tools."""
        return [json.dumps(asdict(self.parameters), sort_keys=True), str(self.waves)]

    def defines(self) -> list[str]:
        """What the harness is compiled with."""
        present = sum(1 << Engine[name.upper()] for name in self.parameters.engines)
        return [f"GIBBSITE_ENGINES={present}"]

    def elaborate(self) -> list[str]:
        """The program that writes ``shell.v``, given ``parameters.json`` beside it."""
        return [sys.executable, "-m", "gibbsite_sim.elaborate", "parameters.json", "shell.v"]

    def key(self) -> str:
        """Name of the result by content: sources, parameters, flags and versions of the tools."""
        digest = sha256()
        hardware = Path(spec.__file__).resolve().parent.parent
        ours = [HERE / "build.py", HERE / "elaborate.py", self.bench, self.harness]
        for path in [*sorted(hardware.rglob("*.py")), *ours, *sorted(WAVES.glob("*.h"))]:
            text = path.read_bytes()
            digest.update(f"{path.name} {len(text)}\n".encode() + text)
        digest.update("\n".join([*self.facts(), *versions()]).encode())
        return f"{'waves' if self.waves else 'plain'}-{digest.hexdigest()[:32]}"

    def make(self, folder: Path, stage: Stage) -> Path:
        """Build in an empty folder; returns the library in it.

        Raises `ToolMissing`, `BuildFailed`, OSError when the disk is full.
        """
        tools = find_toolchain()
        stage("elaborate", 0, 1)
        with _Jobs(folder) as jobs:
            (folder / "parameters.json").write_text(json.dumps(asdict(self.parameters)))
            jobs.run("elaborating the RTL", self.elaborate(), PYTHONPATH=_search_path())
            stage("verilate", 0, 1)
            extra = _WAVES_FLAGS if self.waves else ()
            command = [str(tools.verilator), *_VERILATOR_FLAGS, *extra, str(self.bench), "shell.v"]
            jobs.run("Verilator", command, VERILATOR_ROOT=str(tools.verilator_root))
            objects = self._compile(tools, folder, jobs, stage)
            command = [tools.compiler, "-shared", "-o", LIBRARY, *objects, "-pthread"]
            jobs.run("the linker", command)
        return folder / LIBRARY

    def _compile(self, tools: Toolchain, folder: Path, jobs: "_Jobs", stage: Stage) -> list[str]:
        include = tools.verilator_root / "include"
        runtime = [*_RUNTIME, *(["verilated_fst_c.cpp"] if self.waves else [])]
        # Small files together, since each reads the same large headers; the longest first, so that
        # no core waits at the end.
        parts = sorted((folder / "model").glob("*.cpp"), key=lambda path: -path.stat().st_size)
        large = [path for path in parts if path.stat().st_size > SMALL]
        small = folder / "small.cpp"
        small.write_text(
            "".join(f'#include "{path.name}"\n' for path in parts if path not in large)
        )
        sources = [*large, self.harness, small, *(include / name for name in runtime)]
        defines = [f"-D{name}" for name in (*_DEFINES, *self.defines())]
        defines += [f"-DVM_TRACE={self.waves:d}", f"-DVM_TRACE_FST={self.waves:d}"]
        paths = ["-Imodel", f"-I{include}", f"-I{include / 'vltstd'}", f"-I{WAVES}"]
        commands, objects = [], []
        for source in sources:
            level = _SLOW if source.stem.endswith("__Slow") else _FAST
            level = _RUNTIME_LEVEL if source.name in runtime else level
            objects.append(f"{source.stem}.o")
            options = [*_COMMON, *level, *defines, *paths]
            commands.append([tools.compiler, *options, "-c", str(source), "-o", objects[-1]])
        jobs.run_all("the compiler", commands, lambda done: stage("compile", done, len(commands)))
        return objects


class _Jobs:
    """Runs the programs of one build in its folder; ends them all when the build ends early."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._live: set[subprocess.Popen[str]] = set()
        self._lock = Lock()
        self._ended = False
        self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))

    def __enter__(self) -> "_Jobs":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = True  # a thread that comes to its next program from here on starts none
            for process in self._live:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        self._pool.shutdown(cancel_futures=True)

    def run(self, what: str, command: list[str], **environment: str) -> None:
        """Run one program to its end."""
        self._pool.submit(self._call, what, command, environment).result()

    def run_all(self, what: str, commands: list[list[str]], done: Callable[[int], None]) -> None:
        """Run programs side by side, as many as there are cores."""
        done(0)
        open_jobs: set[Future[None]] = {
            self._pool.submit(self._call, what, command, {}) for command in commands
        }
        while open_jobs:
            finished, open_jobs = wait(open_jobs, return_when=FIRST_COMPLETED)
            for job in finished:
                job.result()
            done(len(commands) - len(open_jobs))

    def _call(self, what: str, command: list[str], environment: dict[str, str]) -> None:
        # Own session: Ctrl-C reaches us alone, and we end the whole group. TMPDIR: the compiler's
        # temporary files share the fate, and the disk, of the build.
        with self._lock:
            if self._ended:
                return
            try:
                process = subprocess.Popen(
                    command,
                    cwd=self._folder,
                    # messages in English: what they say of a full disk is understood
                    env={
                        **os.environ,
                        "LC_ALL": "C",
                        "TMPDIR": str(self._folder),
                        **environment,
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                raise ToolMissing(
                    f"{command[0]} cannot be started ({error.strerror}), and {what} is needed to "
                    f"build the simulated device: install it again, {PACKAGES_HINT}"
                ) from error
            self._live.add(process)
        said, _ = process.communicate()
        with self._lock:
            self._live.discard(process)
        if process.returncode == 0:
            return
        if process.returncode == -signal.SIGXFSZ or any(word in said for word in _FULL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        lines = said.strip().splitlines()
        errors = [line for line in lines if "error" in line.lower()]
        ending = " | ".join(errors[:4] or lines[-6:])
        raise BuildFailed(
            f"{what} could not build the simulated device (exit status {process.returncode}), see "
            f"what it said: {ending}"
        )


def _search_path() -> str:
    """Our own module search path, for a program that runs in another folder."""
    return os.pathsep.join(str(Path(folder).absolute()) for folder in sys.path)
