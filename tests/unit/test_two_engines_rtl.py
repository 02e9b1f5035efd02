"""Both engines in one device as RTL and compiled: running at once, the golden device to the bit."""

import dimod
import numpy as np
import pytest

import gibbsite
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_packets import LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.packets import ENGINE_FIELD, Opcode, Response, header
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import Register
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.fast.stream import FastStream

BOTH = DeviceParameters(
    GraphParameters(lanes=2, rows=8, words=16, schedule_steps=8, payload_words=16, hash_rounds=0),
    LangevinParameters(
        units=8, constraints=4, multipliers=4, pairs=16, schedule_entries=8, payload_words=32
    ),
)
DRAWS = 40
ENDS = (Response.DONE, LangevinResponse.DONE)


def commands() -> list[tuple[int, list[int]]]:
    """One p-bit; one unit in a bias; as many draws of each."""
    strengths = [1 << 14] * 6
    return [
        (Opcode.BEGIN, [1, 1]),
        (LangevinOpcode.BEGIN, [1, 0, 0, 0, 0, 0]),
        (Opcode.ROWS, [0, 1 | 1 << 17, 1]),
        (LangevinOpcode.UNITS, [0, 3, 0, 0]),
        (Opcode.ENTRIES, [0, 0, 0]),
        (LangevinOpcode.BIASES, [0, 9]),
        (Opcode.BIASES, [0, 5, 0]),
        (LangevinOpcode.SCHEDULE, [0, 2, 1 << 12, 1 << 12 | 9 << 18, *strengths]),
        (LangevinOpcode.COMMIT, []),
        (Opcode.COMMIT, []),
        (LangevinOpcode.WRITE, [0x05, 1]),
        (LangevinOpcode.WRITE, [0x04, DRAWS]),
        (Opcode.WRITE, [Register.DRAWS, DRAWS]),
        (0x37, []),
        (0x77, []),
        (Opcode.IDENTIFY, []),
        (LangevinOpcode.IDENTIFY, []),
    ]


def conversation(stream: object) -> tuple[list[list[int]], dict[bool, list[list[int]]]]:
    """Answers to all commands one by one; then what each engine sends while both run."""
    answers = []
    for tag, (opcode, payload) in enumerate(commands()):
        stream.send([header(opcode, tag, len(payload)), *payload])
        answers.append(stream.receive())
    stream.send([header(Opcode.RUN, 1, 0)])
    stream.send([header(LangevinOpcode.RUN, 2, 0)])
    found: dict[bool, list[list[int]]] = {False: [], True: []}
    ended = 0
    while ended < 2:
        packet = stream.receive()
        found[packet[0] >> 24 & ENGINE_FIELD != 0].append(packet)
        ended += packet[0] >> 24 in ENDS
    return answers, found


def test_both_engines_run_at_once_in_the_emulator() -> None:
    stream = FastStream(BOTH)
    assert conversation(stream) == conversation(GoldenStream(BOTH))
    stream.close()


@pytest.mark.sim
@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.4, 0.6)])
def test_both_engines_run_at_once_as_the_golden_ones(stalls: tuple[float, float]) -> None:
    from gibbsite_sim.device import SimStream

    golden = conversation(GoldenStream(BOTH))
    with SimStream(BOTH) as stream:
        stream.stall(5, *stalls)
        assert conversation(stream) == golden
        with pytest.raises(DeviceError, match="send a command first"):
            stream.receive()
    assert len(golden[1][False]) == len(golden[1][True]) == DRAWS + 2
    # the two engines' first answers differ, so a packet of the wrong engine would have shown
    assert golden[1][False] != golden[1][True]


def turns(device: Device) -> list[np.ndarray]:
    """What users of both engines draw, one after the other, on one device."""
    ring = dimod.BinaryQuadraticModel({}, {(i, (i + 1) % 6): -1.0 for i in range(6)}, 0.0, "SPIN")
    wells = gibbsite.Potential.build(2, J2=-1.0, J4=0.5, J={(0, 1): -0.6})
    config = gibbsite.LangevinConfig(kT=0.4, n_steps=60, dim=2)
    spins, seen = gibbsite.Sampler(device), []
    with gibbsite.LangevinSampler(wells, config, device) as states:
        for seed in range(3):
            seen.append(spins.sample(ring, num_reads=5, num_sweeps=10, seed=seed).record.sample)
            seen.append(states.sample(n_samples=5, seed=seed).states)
    return seen


@pytest.mark.parametrize("scheme", ["fast:", pytest.param("sim:", marks=pytest.mark.sim)])
def test_users_of_both_engines_take_turns(scheme: str) -> None:
    build = "?like=small"
    with gibbsite.open("golden:" + build) as golden, gibbsite.open(scheme + build) as other:
        wanted, found = turns(golden), turns(other)
    assert len(wanted) == len(found) == 6
    assert all(np.array_equal(one, two) for one, two in zip(wanted, found, strict=True))
    assert len({array.tobytes() for array in wanted}) == 6
