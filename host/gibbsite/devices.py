"""Opening a device by its address: ``scheme:?name=value&name=value``.

    golden:                             the reference in NumPy, default build: graph, langevin
    golden:?engines=graph               the same with one of them: graph, lattice, langevin
    golden:?engines=lattice&rows=100    a lattice engine, which only such an address builds
    golden:?lanes=4&rows=64&units=16    with other build parameters of its engines
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

What the parameters of a build mean: `gibbsite.device_address`.

Schemes are imported when first opened, so that the host works without HDL tools.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gibbsite.argument_kinds import ArgumentKindError
from gibbsite.device_address import (
    BUILD,
    KNOWN_BUILDS,
    OTHERS,
    SIZES_AS_WORDS,
    build_of,
    given_parameters,
    in_short,
    number_of,
    threads_of,
)
from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError, ToolMissing, UnknownDevice

__all__ = ["KNOWN_BUILDS", "Scheme", "Stage", "available", "given_or_opened", "open"]

Stage: TypeAlias = Callable[[str, int, int], None]
"""Hears how a build goes on: what is done, how far it is, and how far it goes."""

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
        return f"{', '.join(in_short(self.parameters))}, and {SIZES_AS_WORDS}"


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
        if uri in NAMES:
            raise UnknownDevice(f"{uri!r} is no device: write {uri}: with a colon")
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
    given = given_parameters(uri, query, NAMES[scheme])
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


def given_or_opened(device: Device | str) -> Device:
    """An open device as it is, or the one at an address.

    Raises `ArgumentKindError` for neither, and what `open` raises.
    """
    if isinstance(device, str):
        return open(device)
    if not isinstance(device, Device):
        raise ArgumentKindError(
            f"{device!r} is neither an open device nor an address: pass gibbsite.open(...) or, for "
            "one, 'fast:'"
        )
    return device


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
    scheme.removesuffix(":"): (*BUILD, *others) for scheme, others in OTHERS.items()
}
"""The schemes, and the parameters that each takes."""


def _golden(uri: str, given: dict[str, str]) -> Device:
    from gibbsite_models.golden.device import GoldenStream

    return Driver(GoldenStream(build_of(uri, given), uri=uri))


def _fast(uri: str, given: dict[str, str], progress: Stage | None) -> Device:
    threads = threads_of(uri, given)
    target = given.pop("target", TARGETS[0])
    parameters = build_of(uri, given)
    if target not in TARGETS:
        raise UnknownDevice(f"{uri!r} has target={target!r}: give one of {', '.join(TARGETS)}")
    if target != "cpu" and parameters.lattice is None:
        raise UnknownDevice(
            f"{uri!r} asks for a GPU (target={target}), which runs the lattice engine alone, and "
            f"this device has {', '.join(parameters.engines)} only: leave target={target} out, "
            "or write engines=lattice"
        )

    from gibbsite_sim.fast.device import FastDevice
    from gibbsite_sim.fast.stream import FastStream

    stream = FastStream(parameters, uri=uri, threads=threads, target=target, stage=progress)
    return FastDevice(Driver(stream), stream)


def _sim(uri: str, given: dict[str, str], progress: Stage | None) -> Device:
    from gibbsite_sim.device import SimStream
    from gibbsite_sim.parallel import ParallelDevice

    waves = given.pop("waves", None)
    threads = threads_of(uri, given)
    parameters = build_of(uri, given)
    if threads > 1 and waves is not None:
        raise UnknownDevice(f"{uri!r} records one waveform of {threads} copies: use threads=1")
    heard = None if progress is None else _one_after_another(progress)
    streams: list[SimStream] = []
    devices: list[Device] = []
    try:
        for _ in range(threads):
            streams.append(SimStream(parameters, uri=uri, waves=waves, stage=heard))
            devices.append(Driver(streams[-1]))
    except BaseException:
        for stream in streams:
            stream.close()
        raise
    return devices[0] if threads == 1 else ParallelDevice(devices, streams)


def _one_after_another(progress: Stage) -> Stage:
    """Hear stages of which each ends where the next one begins and none says that it is over."""
    last = ""

    def heard(stage: str, done: int, total: int) -> None:
        nonlocal last
        if last and stage != last:
            progress(last, 1, 1)
        last = stage
        progress(stage, done, total)

    return heard


def _analog(uri: str, given: dict[str, str]) -> Device:
    from gibbsite_sim.analog.device import AnalogDevice, AnalogStream
    from gibbsite_sim.analog.parameters import DEFAULT_SET

    mismatch = number_of(uri, "mismatch", given.pop("mismatch", "0"))
    circuit = given.pop("set", DEFAULT_SET)
    build = build_of(uri, given)
    if build.lattice is not None:
        raise UnknownDevice(
            f"{uri!r} has a lattice engine and no circuit of one is described: leave it out, or "
            "open the lattice with golden:, fast: or sim:"
        )
    try:
        stream = AnalogStream(build, uri=uri, circuit=circuit, mismatch=mismatch)
    except ProgramError as error:
        raise UnknownDevice(f"{uri!r} cannot be built: {error}") from None
    return AnalogDevice(Driver(stream), stream)


def _uart(uri: str, port: str, given: dict[str, str]) -> Device:
    from gibbsite.uart import BAUD, UartStream
    from gibbsite.uart_builds import Report, find_build

    baud = number_of(uri, "baud", given.pop("baud", str(BAUD)))
    if not 1 <= baud <= MOST_BAUD:
        raise UnknownDevice(f"{uri!r} has baud={baud}: give 1 to {MOST_BAUD}")
    report = Report.read(given.pop("report")) if "report" in given else None
    if given and report is not None:
        raise UnknownDevice(f"{uri!r} gives a report and {', '.join(given)} too: give one of them")
    build = build_of(uri, given) if given else find_build(uri, report, KNOWN_BUILDS)
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
