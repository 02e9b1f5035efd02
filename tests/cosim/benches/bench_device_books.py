"""`DeviceBooks` against 64 words, a number for each counter, and its times.

A counter that is read is one that it was in the cycles before, at most a round ago; once events
have been silent for two rounds it is exact.
"""

from collections import deque
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.device_books import FIRST_COUNTER, IDENTITY
from gibbsite_sim.cosim.build import BOOKS_MOST, BOOKS_WORDS
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.scoreboard import Scoreboard

WORD, WORDS = 0xFFFF_FFFF, 64
PHASES, PHASE = 28, 400
FIELDS = ("source", "target", "write", "blank", "outside", "more", "less")
SERVED, EMPTIED = 6, 10
"""Cycles of an operation and of a counter; ``done`` comes in the next one."""
LONGEST = 2 * (SERVED + EMPTIED) + 1
"""Cycles of an operation with all that may go before it."""
ROUND = 128
"""Cycles in which each counter is emptied at least once."""
RESTORED = 4 * IDENTITY
REST = 4 * ROUND + RESTORED


class Side:
    """One of the two that ask; ``queue`` goes before what is asked at random."""

    def __init__(self, dut: Any, name: str) -> None:
        self.name = name
        self.queue: deque[dict[str, int]] = deque()
        self.busy = False
        self.began = self.served = self.word = 0
        self.valid, self.done = (getattr(dut, f"{name}__{end}") for end in ("valid", "done"))
        self.ports = {field: getattr(dut, f"{name}__{field}") for field in FIELDS}
        for port in (self.valid, *self.ports.values()):
            port.value = 0

    def asked(self) -> dict[str, int]:
        """What its ports carry."""
        return {field: read(port) for field, port in self.ports.items()}


class Books:
    """Asks and counts at random; the model hears of all of it from the ports."""

    def __init__(self, clocked: Clocked, most: tuple[int, ...]) -> None:
        self.dut: Any = clocked.dut
        self.clocked, self.most = clocked, most
        self.rng = Random(31)
        self.results: Scoreboard[tuple[str, int, int]] = Scoreboard("results")
        self.shell, self.engine = Side(self.dut, "shell"), Side(self.dut, "engine")
        self.words: dict[int, int | None] = {n: BOOKS_WORDS.get(n, 0) for n in range(WORDS)}
        self.totals = [0] * len(most)
        self.past: list[deque[int]] = []
        self.events = [getattr(self.dut, f"event{n}") for n in range(len(most))]
        self.counting = self.asking = self.restart = self.in_reset = self.restarting = False
        self.begun = self.ready = self.turns = self.turned = self.held = 0
        self.rounds: set[int] = set()
        self.kept = 0
        self.bytes: list[int] = []
        self.seen: set[tuple[str, str]] = set()
        for port in (*self.events, self.dut.held, self.dut.value, self.dut.restart):
            port.value = 0
        self.known_counters()
        clocked.agents.append(self)

    def known_counters(self) -> None:
        """No counter was anything else than it is now."""
        self.past = [deque([total], maxlen=ROUND + EMPTIED + SERVED) for total in self.totals]

    def counter(self, word: int) -> int | None:
        """The counter that a word is half of."""
        number = (word - FIRST_COUNTER) // 2
        return number if 0 <= number < len(self.most) else None

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        self.in_reset = bool(read(dut.rst))
        if self.in_reset:
            self.forget()
            return
        for n, port in enumerate(self.events):
            self.totals[n] = (self.totals[n] + read(port)) % (1 << 64)
            self.past[n].append(self.totals[n])
        if read(dut.turned):
            self.turns += 1
            self.rounds |= {now - self.turned} if self.turned else set()
            self.turned = now
        restarting, word = bool(read(dut.restarting)), read(dut.word)
        if self.restarting and not restarting:
            self.known_counters()
        if restarting:
            assert now - self.begun <= 2 * ROUND, "a restart does not end"
            self.shell.began = now
        if read(dut.fresh):
            assert read(dut.index) == len(self.bytes), "a byte out of its turn"
            self.bytes.append(read(dut.byte))
        for side in (self.shell, self.engine):
            if read(side.done):
                assert side.busy, f"done for the {side.name}, which did not ask"
                # what had begun before the restart may end
                assert not restarting or now - self.begun <= SERVED + 1, "served in a restart"
                self.serve(side, word)
        if self.shell.busy:
            assert now - max(self.shell.began, self.ready) <= LONGEST, "the shell waits too long"
        if read(dut.held):
            assert word == self.kept, "a word changed while it was held"
            assert not self.bytes, "the engine is served while the shell's word is held"
        self.kept, self.restarting = word, restarting
        if read(dut.restart):
            self.begun = now
            self.totals = [0] * len(self.most)

    def serve(self, side: Side, word: int) -> None:
        """The operation that ends here."""
        ask = side.asked()
        number, shift = self.counter(ask["source"]), 32 * (ask["source"] % 2)
        olds: set[int | None] = {self.words[ask["source"]]}
        if ask["outside"] or ask["blank"]:
            olds = {read(self.dut.value) if ask["outside"] else 0}
        elif number is not None:
            past = list(self.past[number])
            olds = {total >> shift & WORD for total in past[: -SERVED - EMPTIED] or past[:1]}
        if None not in olds:
            change = ask["more"] - ask["less"]
            results = {(old + change) & WORD for old in olds if old is not None}
            wanted = word if word in results else max(results)
            self.results.expect((side.name, wanted, int(wanted == 0)))
            self.results.saw((side.name, word, read(self.dut.zero)))
        if side is self.engine:
            assert self.bytes == [word >> 8 * n & 0xFF for n in range(4)], "bytes of a word"
            self.bytes = []
        assert not self.bytes, "bytes of a word that the shell asked for"
        if ask["write"]:
            number, shift = self.counter(ask["target"]), 32 * (ask["target"] % 2)
            if number is None:
                self.words[ask["target"]] = word
            else:
                self.totals[number] = self.totals[number] & ~(WORD << shift) | word << shift
                self.past[number].clear()
                self.past[number].append(self.totals[number])
        self.seen |= {(side.name, field) for field in FIELDS if ask[field]}
        side.busy, side.word = False, word
        side.served += 1
        if side is self.shell and self.rng.random() < 0.3:
            self.held = self.rng.choice([1, 12, 40])

    def request(self, side: Side) -> dict[str, int]:
        """Any operation that writes no counter."""
        rng = self.rng
        inside = [n for n in range(WORDS) if self.counter(n) is None]
        known = [n for n in range(WORDS) if self.words[n] is not None]
        last = rng.choice(["", "blank", "outside"] if side is self.shell else ["", "blank"])
        flags = {rng.choice(["", "more", "less"]), rng.choice(["", "write"]), last}
        ask = {field: int(field in flags) for field in FIELDS}
        counters = range(FIRST_COUNTER, FIRST_COUNTER + 2 * len(self.most))
        ask["source"] = rng.choice([rng.choice(known), rng.choice(counters)])
        ask["target"] = rng.choice([rng.choice(inside), rng.choice([0, 0x1F, 0x38, 0x3F])])
        return {**ask, "value": rng.choice([0, 1, WORD, 0xFF, rng.getrandbits(32)])}

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        dut.restart.value = int(self.restart)
        self.restart = False
        ready = self.counting and self.clocked.cycle >= self.ready and not self.restarting
        for most, port in zip(self.most, self.events, strict=True):
            port.value = rng.choice([most, most, most, rng.randint(0, most)]) if ready else 0
        dut.held.value = int(self.held > 0)
        for side in (self.shell, self.engine):
            if side.busy:
                continue
            waits = self.in_reset or rng.random() < 0.2 or (side is self.shell and self.held)
            side.busy = not waits and (bool(side.queue) or self.asking)
            side.valid.value = int(side.busy)
            if side.busy:
                side.began = self.clocked.cycle + 1
                ask = side.queue.popleft() if side.queue else self.request(side)
                for field, port in side.ports.items():
                    port.value = ask[field]
                if ask["outside"]:
                    dut.value.value = ask["value"]
        self.held = max(0, self.held - 1)

    def forget(self) -> None:
        """A reset: the first words are as configured, one that was being written is unknown."""
        for side in (self.shell, self.engine):
            ask = side.asked()
            if side.busy and ask["write"] and ask["target"] >= IDENTITY:
                self.words[ask["target"]] = None
            side.valid.value, side.busy = 0, False
            side.queue.clear()
        self.words |= {n: BOOKS_WORDS.get(n, 0) for n in range(IDENTITY)}
        self.totals = [0] * len(self.most)
        self.known_counters()
        self.ready = self.clocked.cycle + RESTORED
        self.turned = self.held = self.kept = 0
        self.bytes, self.restarting = [], False

    async def rest(self) -> None:
        """No events and no requests; then two rounds, upon which the counters are whole."""
        self.counting = self.asking = False
        sides = (self.shell, self.engine)
        await self.clocked.until(
            lambda: not any(side.busy or side.queue for side in sides), REST, "rest"
        )
        turns = self.turns
        await self.clocked.until(lambda: self.turns >= turns + 2, REST, "two rounds")
        self.known_counters()

    async def ask(self, **fields: int) -> int:
        """One operation of the shell; gives its word."""
        self.shell.queue.append({**dict.fromkeys(FIELDS, 0), "value": 0, **fields})
        served = self.shell.served
        await self.clocked.until(lambda: self.shell.served > served, REST, "answer")
        return self.shell.word


@cocotb.test()
async def operations(dut: Any) -> None:
    """Phases of requests beside events: from counters near their ends, restarted, and reset."""
    clocked = Clocked(dut)
    most = BOOKS_MOST[dut._name]
    books = Books(clocked, most)
    rng = books.rng
    await clocked.start()
    for number in range(PHASES):
        kind = ("reset", "preset", "restart", "on")[number % 4]
        if kind == "reset":
            below = [n for n in range(IDENTITY) if books.counter(n) is None]
            if number == PHASES - 4:
                await books.rest()
                for n in below:
                    await books.ask(target=n, write=1, blank=1, less=1)
            await clocked.reset()
            if number == PHASES - 4:
                for n in below:
                    assert await books.ask(source=n) == BOOKS_WORDS.get(n, 0), f"word {n}"
        elif kind == "restart":
            books.asking = True
            await clocked.wait(rng.randrange(30))
            books.restart = True
            await clocked.wait(2)
        elif kind == "preset":
            for word in range(FIRST_COUNTER, FIRST_COUNTER + 2 * len(most)):
                near = WORD if word % 2 else rng.choice([0xFF00, 0xFF_FF00, WORD - 300])
                await books.ask(target=word, write=1, outside=1, value=near)
            await books.rest()
        books.counting = books.asking = True
        length = rng.randrange(RESTORED + PHASE)
        await clocked.wait(length)
        if number % 8 == 7:
            continue  # into the reset as it is
        await books.rest()
        for n, total in enumerate(books.totals):
            for half in range(2):
                word = await books.ask(source=FIRST_COUNTER + 2 * n + half)
                assert word == total >> 32 * half & WORD, f"counter {n} at rest, half {half}"
    await books.rest()
    for n in range(WORDS):
        wanted = books.words[n]
        if books.counter(n) is None and wanted is not None:
            assert await books.ask(source=n) == wanted, f"word {n}"
    books.results.finish(10 * PHASES)
    every = {(side, field) for side in ("shell", "engine") for field in FIELDS}
    assert books.seen == every - {("engine", "outside")}
    count = len(most)
    assert min(books.rounds) == count * EMPTIED
    assert max(books.rounds) <= min(ROUND, count * (EMPTIED + SERVED))
