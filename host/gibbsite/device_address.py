"""The address of a device as its parts: which parameters it gives, and the build that they mean.

A parameter that several engines have is, under its plain name, that of the first engine that the
device holds and that has it; ``lattice_rows``, ``langevin_weight_bits`` and so on say whose.
Everything raises `UnknownDevice` with the address, what is wrong in it, and what to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import parse_qsl

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError, UnknownDevice
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = [
    "BUILD",
    "KNOWN_BUILDS",
    "OTHERS",
    "SIZES_AS_WORDS",
    "build_of",
    "given_parameters",
    "in_short",
    "number_of",
    "threads_of",
]

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

OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "golden:": (),
    "fast:": ("threads", "target"),
    "sim:": ("waves", "threads"),
    "analog:": ("mismatch", "set"),
    "uart:": ("baud", "report"),
}
"""The schemes, and the parameters of each that say nothing of its build."""


def given_parameters(uri: str, query: str, names: tuple[str, ...]) -> dict[str, str]:
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
            takers = [scheme for scheme, taken in OTHERS.items() if name in taken]
            if takers:
                raise UnknownDevice(
                    f"{uri!r} has the parameter {name!r}, which only {' and '.join(takers)} take: "
                    "leave it out, or open one of these"
                )
            near = get_close_matches(name, names, 3, cutoff=0.75)
            advice = f"did you mean {' or '.join(near)}? " if near else ""
            raise UnknownDevice(
                f"{uri!r} has the parameter {name!r}, which is none: {advice}use "
                f"{', '.join(in_short(names))}, or {SIZES_AS_WORDS}"
            )
        if name in found:
            raise UnknownDevice(f"{uri!r} gives {name} twice: give it once")
        found[name] = value
    return found


def in_short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the sizes of engines."""
    return tuple(name for name in names if name not in BUILD[2:])


def build_of(uri: str, given: dict[str, str]) -> DeviceParameters:
    base = KNOWN_BUILDS[_like(uri, given["like"]) if "like" in given else DEFAULT]
    engines = _engines(uri, given["engines"]) if "engines" in given else base.engines
    sizes: dict[str, dict[str, int]] = {engine: {} for engine in ENGINES}
    for name, value in given.items():
        if name not in ("like", "engines"):
            engine, size = _whose(uri, name, engines)
            if size in sizes[engine]:
                raise UnknownDevice(f"{uri!r} gives {engine}_{size} twice: give it once")
            sizes[engine][size] = number_of(uri, name, value)
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
        f"{uri!r} gives {name}, which is the {engine} engine's, and has only "
        f"{' and '.join(engines)}: leave it out or write "
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


def threads_of(uri: str, given: dict[str, str]) -> int:
    threads = number_of(uri, "threads", given.pop("threads", "1"))
    if not 1 <= threads <= MOST_THREADS:
        raise UnknownDevice(f"{uri!r} has threads={threads}: give 1 to {MOST_THREADS}")
    return threads


def number_of(uri: str, name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UnknownDevice(f"{uri!r} has {name}={value!r}: give an integer") from None
