"""The driver of ``uart:`` with the golden device behind a pseudo-terminal, and its refusals."""

import json
import os
import tty
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import gibbsite.uart
from gibbsite.devices import KNOWN_BUILDS
from gibbsite.devices import open as open_device
from gibbsite.uart import UartStream
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import (
    DeviceError,
    FingerprintMismatch,
    ToolMissing,
    UnknownDevice,
)
from gibbsite_hw.spec.packets import Opcode, Packet
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.link_host import Timing
from gibbsite_sim.serial_board import GoldenCore, PtyBoard

OWN = DeviceParameters(GraphParameters(lanes=2, rows=32, words=64), None)
"""A build that nobody knows by name."""

QUICK = Timing(repeat=0.02, idle=0.05, silence=0.3)


@pytest.fixture
def small() -> Iterator[PtyBoard]:
    with PtyBoard(GoldenCore(KNOWN_BUILDS["small"])) as board:
        yield board


@pytest.fixture
def own() -> Iterator[PtyBoard]:
    with PtyBoard(GoldenCore(OWN)) as board:
        yield board


def test_a_known_build_is_found_by_its_fingerprint(small: PtyBoard) -> None:
    with open_device(f"uart:{small.path}") as device:
        assert device.info.parameters == KNOWN_BUILDS["small"]
        assert device.info.engines == ("graph", "langevin")
        assert device.info.clock_hz is None


def test_the_expected_build_is_checked(small: PtyBoard) -> None:
    with open_device(f"uart:{small.path}?like=small") as device:
        assert device.info.parameters == KNOWN_BUILDS["small"]
    with pytest.raises(FingerprintMismatch, match="lanes 4"):
        open_device(f"uart:{small.path}?engines=graph&lanes=8")


def test_a_report_names_the_build(own: PtyBoard, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    told = {"parameters": asdict(OWN), "fingerprint": f"{OWN.fingerprint():016x}"}
    path.write_text(json.dumps({**told, "clock_mhz": 12.0}))
    with open_device(f"uart:{own.path}?report={path}") as device:
        assert device.info.parameters == OWN
        assert device.info.clock_hz == 12e6
    with pytest.raises(FingerprintMismatch, match=f"{OWN.fingerprint():016x}.*report="):
        open_device(f"uart:{own.path}")
    path.write_text(json.dumps({**told, "fingerprint": "1"}))
    with pytest.raises(UnknownDevice, match="make the bitstream with this release"):
        open_device(f"uart:{own.path}?report={path}")
    path.write_text("[]")
    with pytest.raises(UnknownDevice, match="does not describe a device"):
        open_device(f"uart:{own.path}?report={path}")
    with pytest.raises(UnknownDevice, match="cannot be read"):
        open_device(f"uart:{own.path}?report={tmp_path}/none.json")
    other = KNOWN_BUILDS["small"]
    path.write_text(
        json.dumps({"parameters": asdict(other), "fingerprint": f"{other.fingerprint():x}"})
    )
    with pytest.raises(FingerprintMismatch, match="report of the bitstream that is loaded"):
        open_device(f"uart:{own.path}?report={path}")
    with pytest.raises(UnknownDevice, match="one of them"):
        open_device(f"uart:{own.path}?report={path}&like=small")


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("uart:", "names no port"),
        ("uart:/dev/x?baud=0", "baud=0"),
        ("uart:/dev/x?baud=fast", "integer"),
        ("uart:/dev/x?waves=a.fst", "no waveform"),
        ("uart:/dev/x?speed=1", "'speed'"),
    ],
)
def test_addresses_that_are_none(uri: str, says: str) -> None:
    with pytest.raises(UnknownDevice, match=says):
        open_device(uri)


def test_ports_that_cannot_be_had(small: PtyBoard, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"No such file.*plug the board in"):
        open_device("uart:/dev/no-such-port")
    plain = tmp_path / "file"
    plain.touch()
    with pytest.raises(DeviceError, match="cannot be opened"):
        open_device(f"uart:{plain}")
    with (
        open_device(f"uart:{small.path}"),
        pytest.raises(DeviceError, match="close the program that uses it"),
    ):
        open_device(f"uart:{small.path}")


def test_a_port_with_nothing_behind_it() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        with pytest.raises(DeviceError, match=r"within 0.3 s \(0 bytes came\).*bitstream"):
            UartStream(os.ttyname(slave), timing=QUICK)
    finally:
        os.close(master)
        os.close(slave)


def test_a_stream_says_when_nothing_can_come(small: PtyBoard) -> None:
    with UartStream(small.path, build=KNOWN_BUILDS["small"]) as stream:
        with pytest.raises(DeviceError, match="send a command first"):
            stream.receive()
        with pytest.raises(DeviceError, match="32 bits"):
            stream.send([1 << 32])
        stream.send(Packet(Opcode.IDENTIFY, 5, ()).words())
        assert len(stream.receive()) == 9
        assert stream.counts.frames_sent > 1
        assert stream.counts.bad_frames == 0
    with pytest.raises(DeviceError, match="was closed"):
        stream.send([0])
    stream.close()


def test_a_reset_is_told_and_the_next_session_works(small: PtyBoard) -> None:
    with UartStream(small.path, build=KNOWN_BUILDS["small"], timing=QUICK) as stream:
        small.reset()
        stream.send(Packet(Opcode.IDENTIFY, 5, ()).words())
        with pytest.raises(DeviceError, match=r"was reset in the middle.*load it again"):
            stream.receive()
    with open_device(f"uart:{small.path}") as device:
        assert device.loads == 0


def test_a_port_that_vanishes_is_told_at_once(small: PtyBoard) -> None:
    with UartStream(small.path, build=KNOWN_BUILDS["small"]) as stream:
        stream.send(Packet(Opcode.IDENTIFY, 5, ()).words())
        stream.receive()
        small.vanish()

        def ask() -> None:
            for _ in range(100):
                stream.send(Packet(Opcode.IDENTIFY, 5, ()).words())
                stream.receive()

        with pytest.raises(DeviceError, match=r"is gone.*plug the board in again"):
            ask()


def test_a_command_that_is_never_answered(small: PtyBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line works and the shell does not: a packet without its end."""
    monkeypatch.setattr(gibbsite.uart, "PATIENCE", 0.3)
    with UartStream(small.path, build=KNOWN_BUILDS["small"]) as stream:
        core = small._core
        monkeypatch.setattr(core.end, "take", lambda: None)
        stream.send(Packet(Opcode.IDENTIFY, 5, ()).words())
        with pytest.raises(DeviceError, match="answers on the line and not to a command"):
            stream.receive()


def test_without_pyserial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    with pytest.raises(ToolMissing, match="gibbsite\\[uart\\]"):
        open_device("uart:/dev/ttyUSB0")


def test_many_packets_at_once(small: PtyBoard) -> None:
    with UartStream(small.path, build=KNOWN_BUILDS["small"]) as stream:
        for tag in range(20):
            stream.send(Packet(Opcode.IDENTIFY, tag, ()).words())
        words: list[int] = []
        while len(words) < 180:
            words += stream.receive_many(7).words.tolist()
        assert np.array(words)[::9].tolist() == [0x82000008 | tag << 16 for tag in range(20)]
