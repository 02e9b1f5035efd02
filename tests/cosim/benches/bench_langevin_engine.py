"""`LangevinEngine` against the golden shell: draws, moments, what it counts, when a run ends."""

import os
from dataclasses import replace
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.langevin_signatures import LangevinMemories, counters
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_RECORDS,
    LangevinOpcode,
    LangevinResponse,
)
from gibbsite_hw.spec.langevin_program import Shifts
from gibbsite_hw.spec.langevin_registers import LangevinFlags, LangevinRegister
from gibbsite_hw.spec.packets import Packet
from gibbsite_models.golden.langevin_shell import LangevinShell
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.langevin_cases import (
    LangevinCase,
    LangevinShape,
    langevin_loading,
    random_langevin,
)
from gibbsite_sim.cosim.run import langevin_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, Stalls, StreamMonitor, StreamSink

PARAMETERS = langevin_parameters_here()
COUNTERS = counters(PARAMETERS)
RUNS = int(os.environ.get("GIBBSITE_PROGRAMS", "40"))
ABORTS = 12
LONG = 200_000
"""Most cycles of a run here."""
ENDS = (LangevinResponse.DONE, LangevinResponse.ABORTED)
_R, _O = LangevinRegister, LangevinOpcode
MEMORIES = {
    opcode: getattr(LangevinMemories, opcode.name) for opcode in (*LANGEVIN_RECORDS, _O.WEIGHTS)
}
SETTINGS = {
    "first_chain": _R.FIRST_CHAIN,
    "chains": _R.CHAINS,
    "number_of_draws": _R.DRAWS,
    "entries": _R.ENTRIES,
    "thin": _R.THIN,
    "moment_every": _R.MOMENT_EVERY,
    "pairs": _R.PAIRS,
    "start_noise": _R.START,
    "flags": _R.FLAGS,
}
SHAPES = (
    LangevinShape(),
    LangevinShape(wild=True),
    LangevinShape(units=1, constraints=0, coupled=False),
    LangevinShape(constraints=0, coupled=False, wild=True),
    LangevinShape(constraints=0, coupled=True),
    LangevinShape(coupled=False, wild=True),
    LangevinShape(units=PARAMETERS.units, constraints=PARAMETERS.constraints, coupled=True),
    LangevinShape(1, min(1, PARAMETERS.constraints), coupled=True, clamps=0.0, wild=True),
    LangevinShape(clamps=1.0),
)


def record_words(opcode: LangevinOpcode) -> int:
    return LANGEVIN_RECORDS.get(opcode, PARAMETERS.multipliers // 2)


class Engine:
    """Writes memories and starts runs; its model is built from the write port and the settings."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.memories: dict[int, dict[tuple[int, int], int]] = {n: {} for n in range(8)}
        self.packets: Scoreboard[list[int]] = Scoreboard("packets")
        self.ends: Scoreboard[tuple[int, ...]] = Scoreboard("counters")
        self.queue: list[tuple[int, int, int, int]] = []
        self.start = self.running = self.abort = self.may_abort = self.aborted = False
        self.ending = False
        self.began = self.took = 0
        self.expected: list[list[int]] = []
        self.counters: tuple[int, ...] = ()
        self.counted = dict.fromkeys(COUNTERS, 0)
        for name in ("enable", "memory", "address", "lane", "data"):
            getattr(self.dut, f"write__{name}").value = 0
        for name in ("start", "abort", "tag", "seed", *SETTINGS):
            getattr(self.dut, name).value = 0
        for name in ("units", "constraints", "coupled", "shifts"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        if read(dut.write__enable):
            assert not read(dut.busy)
            place = read(dut.write__address), read(dut.write__lane)
            self.memories[read(dut.write__memory)][place] = read(dut.write__data)
        for name, most in COUNTERS.items():
            event = read(getattr(dut, name))
            assert event <= most, name
            self.counted[name] += event
        if self.ending:
            if not self.aborted:
                self.ends.expect(self.counters)
                self.ends.saw(tuple(self.counted.values()))
            self.running = self.ending = False
        if read(dut.start):
            self.began = self.clocked.cycle
            self.counted = dict.fromkeys(COUNTERS, 0)
            self.model()
        if read(dut.finished):
            self.took = self.clocked.cycle - self.began
            self.aborted = bool(read(dut.aborted))
            assert self.may_abort or not self.aborted
            self.ending = True  # the last events come a cycle late

    def model(self) -> None:
        """The golden run of what the memories hold now."""
        dut = self.dut
        golden = LangevinShell(PARAMETERS, 0)

        def put(opcode: int, *payload: int) -> None:
            golden.send(Packet(opcode, read(dut.tag), payload).words())
            answer = golden.receive()
            assert answer[0] >> 24 == LangevinResponse.OK, (opcode, payload, answer)

        n, m, coupled = (read(getattr(dut, name)) for name in ("units", "constraints", "coupled"))
        packed = read(dut.shifts)
        shifts = Shifts(*(packed >> 6 * k & 63 for k in range(9)))
        put(_O.BEGIN, n, m, coupled, *shifts.encode())
        words = PARAMETERS.words
        sizes = {
            _O.WEIGHTS: m * words(n) + n * (coupled * words(n) + words(m)),
            _O.CONSTRAINTS: m,
            _O.SCHEDULE: read(dut.entries),
            _O.PAIRS: read(dut.pairs),
        }
        for opcode, memory in MEMORIES.items():
            held = self.memories[memory]
            for at in range(sizes.get(opcode, n)):
                number = record_words(opcode)
                if opcode == _O.WEIGHTS:
                    record = [held[at, lane] & 0xFFFF_FFFF for lane in range(number)]
                else:
                    record = [held[at, 0] >> 32 * k & 0xFFFF_FFFF for k in range(number)]
                put(opcode, at, *record)
        put(_O.COMMIT)
        seed = read(dut.seed)
        put(_O.WRITE, _R.SEED_LOW, seed & 0xFFFF_FFFF)
        put(_O.WRITE, _R.SEED_HIGH, seed >> 32)
        for name, register in SETTINGS.items():
            put(_O.WRITE, register, read(getattr(dut, name)))
        put(_O.RUN)
        self.expected = []
        while (packet := golden.receive())[0] >> 24 != LangevinResponse.DONE:
            self.expected.append(packet)
            self.packets.expect(packet)
        low, high = packet[1::2], packet[2::2]
        self.counters = tuple(a | b << 32 for a, b in zip(low, high, strict=True))

    def load(self, case: LangevinCase, rng: Random) -> None:
        """Queue all writes of a case; what pads a row is no coupling, whatever it is."""
        in_use = self.lanes_in_use(case)
        for packet in langevin_loading(PARAMETERS, case):
            if packet.opcode not in MEMORIES:
                continue
            first, *words = packet.payload
            size = record_words(LangevinOpcode(packet.opcode))
            for at in range(len(words) // size):
                record = words[at * size : at * size + size]
                memory, address = MEMORIES[LangevinOpcode(packet.opcode)], first + at
                if packet.opcode == _O.WEIGHTS:
                    for lane in range(in_use[address], PARAMETERS.multipliers):
                        code = rng.randint(-PARAMETERS.weight_max, PARAMETERS.weight_max)
                        assert not record[lane // 2] >> 16 * (lane % 2) & 0xFFFF
                        record[lane // 2] |= (code & 0xFFFF) << 16 * (lane % 2)
                    self.queue += [(memory, address, k, w) for k, w in enumerate(record)]
                else:
                    data = sum(w << 32 * k for k, w in enumerate(record))
                    self.queue.append((memory, address, 0, data))

    @staticmethod
    def lanes_in_use(case: LangevinCase) -> list[int]:
        """Lanes that hold a coupling, of every coupling word."""
        n, m, lanes = case.program.units, case.program.constraints, PARAMETERS.multipliers
        rows = [n] * m + ([n] * bool(case.program.couplings) + [m] * bool(m)) * n
        return [min(lanes, length - at) for length in rows for at in range(0, length, lanes)]

    def drive(self) -> None:
        dut = self.dut
        dut.start.value = int(self.start)
        dut.abort.value = int(self.abort)
        self.start = False
        dut.write__enable.value = int(bool(self.queue))
        if self.queue:
            names = ("memory", "address", "lane", "data")
            for name, value in zip(names, self.queue.pop(0), strict=True):
                getattr(dut, f"write__{name}").value = value

    async def begin(self, case: LangevinCase, rng: Random) -> None:
        """Load a case and start its run."""
        dut, program = self.dut, case.program
        self.load(case, rng)
        await self.clocked.until(lambda: not self.queue, LONG, "writes")
        await self.clocked.wait(2)
        dut.units.value, dut.constraints.value = program.units, program.constraints
        dut.coupled.value = int(bool(len(program.couplings)))
        packed = [getattr(program.shifts, name) for name in Shifts.__slots__]
        dut.shifts.value = sum(shift << 6 * k for k, shift in enumerate(packed))
        dut.seed.value, dut.tag.value = rng.getrandbits(64), rng.getrandbits(8)
        for name, register in SETTINGS.items():
            getattr(dut, name).value = case.settings[register]
        self.start = self.running = True


@cocotb.test()
async def runs(dut: object) -> None:
    """Random programs and settings; a run's length is exact where the reader never stalls."""
    rng = Random(52)
    pattern = os.environ["GIBBSITE_STALLS"]
    clocked = Clocked(dut)
    engine = Engine(clocked)
    monitor = StreamMonitor(clocked, "draws", lambda seen: engine.packets.saw(seen.words))
    StreamSink(clocked, "draws", Stalls(*STALLS[pattern], seed=1))
    await clocked.start()
    saturated = moments = packets = 0
    for number in range(RUNS):
        shape = SHAPES[number % len(SHAPES)]
        case = random_langevin(PARAMETERS, rng, shape)
        settings = {**case.settings, _R.FLAGS: number % 8}
        if shape.wild:
            settings[_R.START] = rng.randint(0, (48 << 18) - 1)
        if number % 4 == 3:
            settings[_R.PAIRS] = 0
        words = monitor.transfers
        await engine.begin(replace(case, settings=settings), rng)
        await clocked.until(lambda: not engine.running, LONG, "end of the run")
        assert engine.packets.open == 0
        words = monitor.transfers - words
        sums = settings[_R.CHAINS] if settings[_R.PAIRS] else 0
        if pattern == "none":
            # starting takes a cycle, and so does the way from the last draw to the moments
            assert engine.took == 1 + engine.counted["cycles"] + words + sums
        saturated += engine.counted["saturations"] > 0
        moments += sum(p[0] >> 24 == LangevinResponse.MOMENTS for p in engine.expected)
        packets += len(engine.expected)
    engine.packets.finish(packets)
    engine.ends.finish(RUNS)
    assert moments >= RUNS // 4 or not PARAMETERS.pairs
    assert 2 * saturated >= RUNS // 3
    assert saturated < RUNS or RUNS < 9
    assert (monitor.stalled > 0) == (pattern != "none")


@cocotb.test()
async def aborts(dut: object) -> None:
    """Runs cut short anywhere: what they sent is the beginning of the whole run's packets."""
    rng = Random(53)
    clocked = Clocked(dut)
    engine = Engine(clocked)
    sent: list[list[int]] = []
    StreamMonitor(clocked, "draws", lambda seen: sent.append(seen.words))
    StreamSink(clocked, "draws", Stalls(*STALLS[os.environ["GIBBSITE_STALLS"]], seed=2))
    await clocked.start()
    cut = 0
    for number in range(ABORTS):
        case = random_langevin(PARAMETERS, rng, SHAPES[number % len(SHAPES)])
        flags = LangevinFlags(number % 8)
        settings = {**case.settings, _R.FLAGS: flags, _R.DRAWS: 9, _R.CHAINS: 3}
        sent.clear()
        await engine.begin(replace(case, settings=settings), rng)
        engine.may_abort = True
        await clocked.wait(rng.randrange(2000))
        engine.abort = True
        await clocked.until(lambda: not engine.running, LONG, "end of the run")
        engine.abort = engine.may_abort = False
        assert sent == engine.expected[: len(sent)]
        assert engine.aborted == (len(sent) < len(engine.expected))
        draws = sum(packet[0] >> 24 == LangevinResponse.DRAW for packet in sent)
        assert engine.counted["reads"] == draws
        cut += engine.aborted
        await clocked.wait(3)
    assert cut >= ABORTS // 2
