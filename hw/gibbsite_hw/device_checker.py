"""Walks the rows of a program before it is accepted (COMMIT) or run (RUN).

Twin: ``check_program`` and ``check_run`` of `gibbsite_models.golden.checks`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.graph_signatures import descriptor_layout
from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["DeviceChecker"]


class DeviceChecker(wiring.Component):
    """``start`` walks ``rows`` rows; ``done`` comes with ``error`` (0: accepted) and ``detail``.

    With ``structure`` the rows must fit each other and their lengths add up to ``words``; without
    it clamps, and with ``given`` the initial state, must leave each group exactly one choice or
    more. ``row`` reads the engine's memories (synchronous).
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "start": In(1),
                "structure": In(1),
                "given": In(1),
                "rows": In(range(parameters.rows + 1)),
                "words": In(range(parameters.words + 1)),
                "row": Out(parameters.row_bits),
                "descriptor": In(descriptor_layout(parameters)),
                "on": In(lanes),
                "off": In(lanes),
                "state": In(lanes),
                "done": Out(1),
                "error": Out(8),
                "detail": Out(range(parameters.rows + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lanes = parameters.lanes
        at, here = Signal(parameters.row_bits), Signal(parameters.row_bits)
        live = Signal()
        inside, pinned, free, set_ = Signal(), Signal(), Signal(), Signal()
        states = Signal(range(parameters.max_group + 1))
        total = Signal((parameters.rows * 2047).bit_length())
        row = self.descriptor
        final = Signal()
        m.d.comb += [self.row.eq(at), final.eq(here + 1 == self.rows)]

        # Structure.
        states_now = Signal(range(parameters.max_group + lanes + 1))
        bad_row = Signal()
        m.d.comb += [
            states_now.eq(Mux(row.first, 0, states) + sum(row.mask)),
            bad_row.eq(
                (row.group & (row.first == inside))
                | (~row.group & inside)
                | (row.group & row.barrier & ~row.last)
                | (final & (~row.barrier | (row.group & ~row.last)))
            ),
        ]

        # Clamps and state, cut to the slots that are used.
        on, off = Signal(lanes), Signal(lanes)
        several_on, several_set = Signal(), Signal()
        pinned_before, set_before, free_before = Signal(), Signal(), Signal()
        m.d.comb += [
            on.eq(self.on & row.mask),
            off.eq(self.off & row.mask),
            pinned_before.eq(pinned & ~row.first),
            free_before.eq(free & ~row.first),
            set_before.eq(set_ & ~row.first),
            several_on.eq((on & (on - 1)[:lanes]).any() | (on.any() & pinned_before)),
            several_set.eq(
                (self.state & (self.state - 1)[:lanes]).any() | (self.state.any() & set_before)
            ),
        ]
        free_now, set_now = Signal(), Signal()
        m.d.comb += [
            free_now.eq(free_before | (row.mask & ~off).any()),
            set_now.eq(set_before | self.state.any()),
        ]
        code = Signal(8)
        ends_group = row.group & row.last
        with m.If(self.structure):
            with m.If(bad_row):
                m.d.comb += code.eq(ErrorCode.BAD_ROWS)
            with m.Elif(row.group & (states_now > parameters.max_group)):
                m.d.comb += code.eq(ErrorCode.BAD_GROUP)
        with m.Else():
            with m.If((on & off).any() | (row.group & several_on)):
                m.d.comb += code.eq(ErrorCode.PINNED_TWICE)
            with m.Elif(ends_group & ~free_now):
                m.d.comb += code.eq(ErrorCode.NO_STATE_LEFT)
            with m.Elif(
                self.given
                & (
                    (self.state & ~row.mask).any()
                    | (row.group & several_set)
                    | (ends_group & ~set_now)
                )
            ):
                m.d.comb += code.eq(ErrorCode.STATE_NOT_ONE_HOT)
            with m.Elif(self.given & ((self.state & off) | (on & ~self.state)).any()):
                m.d.comb += code.eq(ErrorCode.STATE_AGAINST_CLAMP)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [at.eq(0), live.eq(0), inside.eq(0), total.eq(0)]
                with m.If(self.start):
                    m.next = "WALK"
            with m.State("WALK"):
                m.d.sync += [at.eq(at + 1), here.eq(at), live.eq(1)]
                with m.If(live):
                    m.d.sync += [
                        inside.eq(row.group & ~row.last),
                        states.eq(states_now),
                        total.eq(total + row.length),
                        pinned.eq(pinned_before | on.any()),
                        free.eq(free_now),
                        set_.eq(set_now),
                    ]
                    with m.If(code != 0):
                        m.d.sync += [self.error.eq(code), self.detail.eq(here)]
                        m.next = "DONE"
                    with m.Elif(final):
                        m.next = "TOTAL"
            with m.State("TOTAL"):
                m.d.sync += [self.error.eq(0), self.detail.eq(self.rows)]
                with m.If(self.structure & (total != self.words)):
                    m.d.sync += self.error.eq(ErrorCode.BAD_ROWS)
                m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
