"""Settings, counters and identity of an engine: 64 words in one memory a byte wide.

All that is not needed in every cycle lies here, behind one adder of 8 bits. Events are counted in
short counters, one after the other of which is emptied into its 64 bits:

    word 0x00 ...         the registers at their offsets (`gibbsite_hw.spec.registers`)
    word FIRST_COUNTER    the counters, low word first
    word IDENTITY         what IDENTIFY answers
    word SCRATCH ...      an engine's own

Twin: the registers and counters of `gibbsite_models.golden.packet_shell`.
"""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["FIRST_COUNTER", "IDENTITY", "SCRATCH", "DeviceBooks", "request_signature"]

FIRST_COUNTER, IDENTITY, SCRATCH = 0x20, 0x30, 0x38
_ROUND_BITS = 7
"""A counter is emptied at least once in so many bits' worth of cycles: it takes 10 cycles, and a
request between two of them 6."""
_BEHIND = 2
"""Cycles from a byte's address to its sum: the memory, and a register behind it."""


request_signature = wiring.Signature(
    {
        "valid": Out(1),
        "source": Out(6),
        "target": Out(6),
        "write": Out(1),
        "blank": Out(1),
        "outside": Out(1),
        "more": Out(1),
        "less": Out(1),
        "done": In(1),
    }
)
"""One operation: word ``target`` becomes word ``source`` (0 if ``blank``, the value from outside if
``outside``), one ``more`` or one ``less``; nothing is written without ``write``. It stands until
``done``."""


class DeviceBooks(wiring.Component):
    """``words`` stand in the memory after configuration, those below `IDENTITY` again after a
    reset, which takes a cycle a byte; ``most`` is, counter by counter, the largest number counted
    in a cycle.

    ``shell`` and ``engine`` ask for operations; the shell goes first, and the engine waits while
    ``held`` says that a word read for the shell is still needed. With ``done`` the result stands in
    ``word``; ``zero``: it is 0. Its bytes come before, with ``fresh`` and their ``index``.
    ``events`` are added to the counters. ``restart`` clears all counters, ``restarting`` until
    that is done; no operation is done meanwhile. ``turned`` comes each time when the last counter
    was emptied.

    A restart wants no events before it for two ``turned``, nor any while ``restarting``, else the
    counters go on from some of them. Nor do those count for certain that come within 192 cycles
    after a reset, while words are put back.
    """

    def __init__(self, words: Mapping[int, int], most: Sequence[int]) -> None:
        if len(most) > (IDENTITY - FIRST_COUNTER) // 2:
            raise ValueError(f"{len(most)} counters do not fit between their words")
        assert 16 * ((IDENTITY - FIRST_COUNTER) // 2) <= 1 << _ROUND_BITS
        self._words = dict(words)
        self._most = tuple(most)
        super().__init__(
            {
                "shell": In(request_signature),
                "engine": In(request_signature),
                "held": In(1),
                "value": In(32),
                "word": Out(32),
                "zero": Out(1),
                "fresh": Out(1),
                "index": Out(2),
                "byte": Out(8),
                **{f"event{n}": In(range(most + 1)) for n, most in enumerate(self._most)},
                "restart": In(1),
                "restarting": Out(1),
                "turned": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        init = [self._words.get(at // 4, 0) >> 8 * (at % 4) & 0xFF for at in range(256)]
        m.submodules.words = memory = Memory(shape=8, depth=256, init=init)
        read, write = memory.read_port(), memory.write_port()
        count = len(self._most)
        serving, engine = Signal(), Signal()
        at, counter = Signal(range(8 + _BEHIND)), Signal(range(count))
        blanking, asked = Signal(), Signal()
        widths = [_ROUND_BITS + most.bit_length() for most in self._most]
        addend = Signal(max(widths))
        carry, total = Signal(), Signal(9)
        ask = {}
        for name in ("source", "target", "write", "blank", "outside", "more", "less"):
            ask[name] = Signal.like(getattr(self.shell, name), name=f"ask_{name}")
            m.d.comb += ask[name].eq(
                Mux(engine, getattr(self.engine, name), getattr(self.shell, name))
            )

        # Events, and the one counter that is emptied.
        next_fronts = []
        starts = Signal()
        for n, width in enumerate(widths):
            front = Signal(width, name=f"front{n}")
            after = Signal(width, name=f"after{n}")
            m.d.comb += after.eq(front + getattr(self, f"event{n}"))
            m.d.sync += front.eq(after)
            with m.If(starts & (counter == n)):
                m.d.sync += front.eq(0)
            next_fronts.append(after)
        last = Mux(serving, at == 3 + _BEHIND, at == 7 + _BEHIND)
        m.d.comb += starts.eq(~serving & (at == 0))

        # A byte a cycle: read one while the one before the last is changed and written.
        here, summing = Signal(range(8)), Signal()
        found = Signal(8)
        m.d.sync += found.eq(read.data)
        m.d.comb += [
            here.eq(at - _BEHIND),
            summing.eq(at >= _BEHIND),
            read.addr.eq(
                Mux(
                    serving,
                    Cat(at[:2], ask["source"]),
                    Cat(at[:3], counter + FIRST_COUNTER // 2),
                )
            ),
            write.addr.eq(
                Mux(
                    serving,
                    Cat(here[:2], ask["target"]),
                    Cat(here, counter + FIRST_COUNTER // 2),
                )
            ),
            write.en.eq(summing & (~serving | ask["write"])),
            write.data.eq(total[:8]),
        ]
        value = Array(self.value.word_select(n, 8) for n in range(4))[here[:2]]
        old, more = Signal(8), Signal(8)
        m.d.comb += [
            old.eq(
                Mux(
                    serving,
                    Mux(ask["outside"], value, Mux(ask["blank"], 0, found)),
                    Mux(blanking, 0, found),
                )
            ),
            more.eq(Mux(serving, ask["less"].replicate(8), addend[:8])),
            total.eq(old + more + carry),
            self.byte.eq(total[:8]),
            self.index.eq(here),
            self.fresh.eq(serving & engine & summing),
        ]
        with m.If(summing):
            m.d.sync += [carry.eq(total[8]), addend.eq(addend >> 8)]
        with m.If(at == 0):
            m.d.sync += [
                carry.eq(serving & ask["more"]),
                addend.eq(Array(next_fronts)[counter]),
                self.zero.eq(1),
            ]
        with m.If(serving & summing):
            m.d.sync += self.word.eq(Cat(self.word[8:], total[:8]))
            with m.If(total[:8] != 0):
                m.d.sync += self.zero.eq(0)

        done, who = Signal(), Signal()
        m.d.sync += [done.eq(serving & last), who.eq(engine), at.eq(at + 1)]
        m.d.comb += [
            self.shell.done.eq(done & ~who),
            self.engine.done.eq(done & who),
            self.restarting.eq(asked | blanking),
            self.turned.eq(~serving & last & (counter == count - 1)),
        ]
        wanted = self.shell.valid | (self.engine.valid & ~self.held)
        with m.If(last):
            m.d.sync += at.eq(0)
            with m.If(serving):
                m.d.sync += serving.eq(0)
            with m.Else():
                m.d.sync += counter.eq(Mux(counter == count - 1, 0, counter + 1))
                m.d.sync += [serving.eq(wanted & ~self.restarting), engine.eq(~self.shell.valid)]
        with m.If(self.turned):
            m.d.sync += [blanking.eq(asked), asked.eq(0)]
        with m.If(self.restart):
            m.d.sync += asked.eq(1)
        self._restore(m, write, init, at)
        return m

    def _restore(self, m, write, init, at):
        """After a reset, but not after configuration, the first words are written anew.

        Memories outlive a reset. Nothing is served before all is written.
        """
        end = 4 * IDENTITY
        configured = Signal(reset_less=True)
        restoring, place = Signal(init=1), Signal(range(end))
        m.d.sync += configured.eq(1)
        with m.If(restoring):
            m.d.comb += [write.en.eq(1), write.addr.eq(place), write.data.eq(0)]
            with m.Switch(place):
                for byte, value in enumerate(init[:end]):
                    if value:
                        with m.Case(byte):
                            m.d.comb += write.data.eq(value)
            m.d.sync += [at.eq(0), place.eq(place + 1)]
            with m.If(~configured | (place == end - 1)):
                m.d.sync += restoring.eq(0)
