"""Opening a device by its address: ``scheme:?name=value&name=value``.

    golden:                             the reference in NumPy, default build: both engines
    golden:?engines=graph               the same with one of them: graph, lattice, langevin
    golden:?engines=lattice&rows=100    a lattice engine, which only such an address builds
    golden:?lanes=4&rows=64&units=16    with other build parameters of either engine
    golden:?like=FINGERPRINT            with the parameters of a known build, by fingerprint or name
    fast:                               the same bits, compiled; takes the same parameters
    fast:?threads=2                     with the chains of a run shared by threads
    fast:?engines=lattice&target=cuda   the lattice on a GPU
    sim:                                the RTL itself, Verilated; takes the same parameters
    sim:?waves=out.fst                  with a waveform
    sim:?threads=2                      chains shared by two copies of it, side by side
    analog:?mismatch=7                  a circuit with mismatch, drawn from a seed of its own
    analog:?set=rc-2026.1               with a named set of circuit parameters
    uart:/dev/ttyUSB0                   a board, which is asked what it holds
    uart:/dev/ttyUSB0?baud=115200       at another rate than 1,000,000
    uart:/dev/ttyUSB0?report=out.json   with the report that was made beside its bitstream
    uart:/dev/ttyUSB0?like=small        with the build that it is expected to hold

A parameter that several engines have is, under its plain name, that of the first engine that the
device holds and that has it; ``lattice_rows``, ``langevin_weight_bits`` and so on say whose.

Schemes are imported when first opened, so that the host works without HDL tools.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl

from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError, ToolMissing, UnknownDevice
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["KNOWN_BUILDS", "Scheme", "Stage", "available", "open"]

Stage: TypeAlias = Callable[[str, int, int], None]
"""Hears how a build goes on: what is done, how far it is, and how far it goes."""

KNOWN_BUILDS: Final[Mapping[str, DeviceParameters]] = {
    "default": DeviceParameters(),
    "small": DeviceParameters(
        GraphParameters(lanes=4, rows=64, words=512),
        LangevinParameters(units=8, constraints=4, multipliers=4, pairs=16, schedule_entries=64),
    ),
    "graph": DeviceParameters(langevin=None),
    "langevin": DeviceParameters(graph=None),
    "lattice": DeviceParameters(None, None, LatticeParameters()),
}
"""Builds that have a name here; ``like=`` finds them by name or fingerprint."""

DEFAULT: Final = "default"
"""The build of an address that says nothing else."""

ENGINES: Final[Mapping[str, type[Any]]] = {
    "graph": GraphParameters,
    "lattice": LatticeParameters,
    "langevin": LangevinParameters,
}
"""The engines that a device may hold, in the order of their numbers."""

SIZES: Final = {
    engine: tuple(field.name for field in fields(kind)) for engine, kind in ENGINES.items()
}
"""The parameters of each engine."""

BUILD: Final = (
    "like",
    "engines",
    *dict.fromkeys(name for names in SIZES.values() for name in names),
    *(f"{engine}_{name}" for engine, names in SIZES.items() for name in names),
)

SIZES_AS_WORDS: Final = "sizes of engines (GraphParameters, LatticeParameters, LangevinParameters)"
"""What a list of parameters says in place of some fifty names."""

MOST_THREADS: Final = 64

MOST_BAUD: Final = 12_000_000
"""What the fastest adapters on USB 2 carry."""

TARGETS: Final = ("cpu", "cuda")
"""What the compiled emulator may run the lattice on."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of device: its address, what runs, which parameters it takes, what is missing."""

    uri: str
    what: str
    parameters: tuple[str, ...]
    missing: str | None
    """What to install first; None if it can be opened."""

    @property
    def summary(self) -> str:
        """The parameters, the sizes of engines in a few words."""
        return f"{', '.join(_in_short(self.parameters))}, and {SIZES_AS_WORDS}"


def open(
    uri: str, *, waves: str | os.PathLike[str] | None = None, progress: Stage | None = None
) -> Device:
    """The device at an address, to be used as a context manager.

    ``waves`` is the file of a waveform, as ``?waves=`` in the address; ``progress`` hears how a
    build goes on where there is one.

    Raises `UnknownDevice` for an address that nobody here knows, `ToolMissing` when its tools are
    not installed, `FingerprintMismatch` when it was built from another specification.
    """
    scheme, colon, rest = uri.partition(":") if isinstance(uri, str) else ("", "", "")
    if not colon or scheme not in NAMES:
        known = ", ".join(f"{name}:" for name in NAMES)
        raise UnknownDevice(f"{uri!r} is no device: use one of {known}")
    place, _, query = rest.partition("?")
    if scheme == "uart":
        if not place:
            raise UnknownDevice(f"{uri!r} names no port: write uart:/dev/ttyUSB0 or another")
    elif place:
        raise UnknownDevice(
            f"{uri!r} names the place {place!r} and {scheme}: has none: write {scheme}:?name=value"
        )
    given = _given(uri, query, NAMES[scheme])
    if waves is not None:
        if "waves" not in NAMES[scheme]:
            raise UnknownDevice(f"{uri!r} records no waveform: use sim: for one")
        if "waves" in given:
            raise UnknownDevice(f"{uri!r} names a waveform and another was asked: give one")
        given["waves"] = os.fspath(waves)
    if scheme == "uart":
        return _uart(uri, place, given)
    if scheme == "sim":
        return _sim(uri, given, progress)
    if scheme == "fast":
        return _fast(uri, given, progress)
    return _golden(uri, given) if scheme == "golden" else _analog(uri, given)


def available() -> list[Scheme]:
    """Every kind of device, with what is missing for those that cannot be opened here."""
    return [
        Scheme("golden:", "the reference in NumPy, bit-exact", NAMES["golden"], None),
        Scheme("fast:", "the compiled emulator, bit-exact", NAMES["fast"], None),
        Scheme("sim:", "the RTL itself, Verilated", NAMES["sim"], _missing_for_sim()),
        Scheme("analog:", "a stochastic circuit with mismatch", NAMES["analog"], None),
        *_ports(),
    ]


NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "golden": BUILD,
    "fast": (*BUILD, "threads", "target"),
    "sim": (*BUILD, "waves", "threads"),
    "analog": (*BUILD, "mismatch", "set"),
    "uart": (*BUILD, "baud", "report"),
}
"""The schemes, and the parameters that each takes."""


def _golden(uri: str, given: dict[str, str]) -> Device:
    from gibbsite_models.golden.device import GoldenStream

    return Driver(GoldenStream(_build(uri, given), uri=uri))


def _fast(uri: str, given: dict[str, str], progress: Stage | None) -> Device:
    threads = _threads(uri, given)
    target = given.pop("target", TARGETS[0])
    parameters = _build(uri, given)
    if target not in TARGETS:
        raise UnknownDevice(f"{uri!r} has target={target!r}: give one of {', '.join(TARGETS)}")
    if target != "cpu" and parameters.lattice is None:
        raise UnknownDevice(
            f"{uri!r} asks for a GPU (target={target}), which runs the lattice engine alone, and "
            f"has only {', '.join(parameters.engines)}: leave target={target} out, or write "
            "engines=lattice"
        )

    from gibbsite_sim.fast.device import FastDevice
    from gibbsite_sim.fast.stream import FastStream

    stream = FastStream(parameters, uri=uri, threads=threads, target=target, stage=progress)
    return FastDevice(Driver(stream), stream)


def _sim(uri: str, given: dict[str, str], progress: Stage | None) -> Device:
    from gibbsite_sim.device import SimStream
    from gibbsite_sim.parallel import ParallelDevice

    waves = given.pop("waves", None)
    threads = _threads(uri, given)
    parameters = _build(uri, given)
    if threads > 1 and waves is not None:
        raise UnknownDevice(f"{uri!r} records one waveform of {threads} copies: use threads=1")
    streams: list[SimStream] = []
    devices: list[Device] = []
    try:
        for _ in range(threads):
            streams.append(SimStream(parameters, uri=uri, waves=waves, stage=progress))
            devices.append(Driver(streams[-1]))
    except BaseException:
        for stream in streams:
            stream.close()
        raise
    return devices[0] if threads == 1 else ParallelDevice(devices, streams)


def _analog(uri: str, given: dict[str, str]) -> Device:
    from gibbsite_sim.analog.device import AnalogDevice, AnalogStream
    from gibbsite_sim.analog.parameters import DEFAULT_SET

    mismatch = _number(uri, "mismatch", given.pop("mismatch", "0"))
    circuit = given.pop("set", DEFAULT_SET)
    build = _build(uri, given)
    try:
        stream = AnalogStream(build, uri=uri, circuit=circuit, mismatch=mismatch)
    except ProgramError as error:
        raise UnknownDevice(f"{uri!r} cannot be built: {error}") from None
    return AnalogDevice(Driver(stream), stream)


def _uart(uri: str, port: str, given: dict[str, str]) -> Device:
    from gibbsite.uart import BAUD, UartStream
    from gibbsite.uart_builds import Report, find_build

    baud = _number(uri, "baud", given.pop("baud", str(BAUD)))
    if not 1 <= baud <= MOST_BAUD:
        raise UnknownDevice(f"{uri!r} has baud={baud}: give 1 to {MOST_BAUD}")
    report = Report.read(given.pop("report")) if "report" in given else None
    if given and report is not None:
        raise UnknownDevice(f"{uri!r} gives a report and {', '.join(given)} too: give one of them")
    build = _build(uri, given) if given else find_build(uri, report, KNOWN_BUILDS)
    stream = UartStream(port, baud, build, uri=uri)
    return Driver(stream, None if report is None else report.clock_hz)


def _ports() -> list[Scheme]:
    """Serial ports of this machine; one line that says what is missing where there is none."""
    from gibbsite.uart_builds import serial_ports

    what, names = "a board on a serial line", NAMES["uart"]
    try:
        found = serial_ports()
    except ToolMissing as error:
        return [Scheme("uart:", what, names, str(error))]
    if not found:
        return [Scheme("uart:", what, names, "no serial port is here: plug a board in")]
    return [Scheme(f"uart:{port}", f"{what}: {text}", names, None) for port, text in found]


def _missing_for_sim() -> str | None:
    from gibbsite_sim.toolchain import find_toolchain

    try:
        find_toolchain()
    except ToolMissing as error:
        return str(error)
    return None


def _given(uri: str, query: str, names: tuple[str, ...]) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UnknownDevice(
            f"{uri!r} has a query that cannot be read: write ?name=value&name=value"
        ) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name == "waves" and name not in names:
            raise UnknownDevice(f"{uri!r} records no waveform: use sim: for one")
        if name not in names:
            near = get_close_matches(name, names, 3, cutoff=0.75)
            advice = f"did you mean {' or '.join(near)}? " if near else ""
            raise UnknownDevice(
                f"{uri!r} has the parameter {name!r}, which is none: {advice}use "
                f"{', '.join(_in_short(names))}, or {SIZES_AS_WORDS}"
            )
        if name in found:
            raise UnknownDevice(f"{uri!r} gives {name} twice: give it once")
        found[name] = value
    return found


def _in_short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the sizes of engines."""
    return tuple(name for name in names if name not in BUILD[2:])


def _build(uri: str, given: dict[str, str]) -> DeviceParameters:
    base = KNOWN_BUILDS[_like(uri, given["like"]) if "like" in given else DEFAULT]
    engines = _engines(uri, given["engines"]) if "engines" in given else base.engines
    sizes: dict[str, dict[str, int]] = {engine: {} for engine in ENGINES}
    for name, value in given.items():
        if name not in ("like", "engines"):
            engine, size = _whose(uri, name, engines)
            if size in sizes[engine]:
                raise UnknownDevice(f"{uri!r} gives {engine}_{size} twice: give it once")
            sizes[engine][size] = _number(uri, name, value)
    chosen: dict[str, Any] = dict.fromkeys(ENGINES)
    for engine in engines:
        try:
            chosen[engine] = replace(getattr(base, engine) or ENGINES[engine](), **sizes[engine])
        except ProgramError as error:
            whose = "" if engine == "graph" else f"the {engine} engine: "
            raise UnknownDevice(f"{uri!r} cannot be built: {whose}{error}") from None
    return DeviceParameters(**chosen)


def _whose(uri: str, name: str, engines: tuple[str, ...]) -> tuple[str, str]:
    """The engine whose parameter this is, and the parameter's name there."""
    meant = [
        (engine, size)
        for engine, names in SIZES.items()
        for size in names
        if name in (size, f"{engine}_{size}")
    ]
    for engine, size in meant:
        if engine in engines:
            return engine, size
    engine = meant[0][0]
    raise UnknownDevice(
        f"{uri!r} gives {name}, which is the {engine} engine's, and has only the "
        f"{', '.join(engines)} engine: leave it out or write "
        f"engines={','.join((*engines, engine))}"
    )


def _engines(uri: str, wanted: str) -> tuple[str, ...]:
    engines = tuple(wanted.split(","))
    if len(set(engines)) != len(engines) or not set(engines) <= set(ENGINES):
        raise UnknownDevice(
            f"{uri!r} has engines={wanted!r}: give one or more of {','.join(ENGINES)}, each once"
        )
    return tuple(engine for engine in ENGINES if engine in engines)


def _like(uri: str, wanted: str) -> str:
    fingerprints = {f"{build.fingerprint():016x}": name for name, build in KNOWN_BUILDS.items()}
    name = fingerprints.get(wanted.lower().removeprefix("0x"), wanted)
    if name not in KNOWN_BUILDS:
        known = ", ".join(f"{key} ({value})" for key, value in fingerprints.items())
        raise UnknownDevice(
            f"{uri!r} is like {wanted!r}, a build that nobody here knows: use one of {known}, or "
            f"give its sizes"
        )
    return name


def _threads(uri: str, given: dict[str, str]) -> int:
    threads = _number(uri, "threads", given.pop("threads", "1"))
    if not 1 <= threads <= MOST_THREADS:
        raise UnknownDevice(f"{uri!r} has threads={threads}: give 1 to {MOST_THREADS}")
    return threads


def _number(uri: str, name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UnknownDevice(f"{uri!r} has {name}={value!r}: give an integer") from None
