"""What the lattice engine's shell asks of a command, in registers: SETTLE cycles behind it.

Twin: `gibbsite_models.golden.packet_shell` and `gibbsite_models.golden.lattice_shell`.
"""

from amaranth.hdl import Mux, Signal

from gibbsite_hw.device_checks import length_fits, may_come
from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_loader import LOADING
from gibbsite_hw.spec.lattice_packets import LATTICE_FIXED_LENGTHS, LATTICE_LEGAL_STATES
from gibbsite_hw.spec.registers import State

__all__ = ["SETTLE", "ending", "findings", "first_checks"]

SETTLE = 4
"""Cycles from a command, or its payload, to all that is said of it."""


def first_checks(m, receiver, loader, state):
    """What every command is checked against first, by name; it came in ``state``.

    ``broken``: its framing is, and ``fault`` with ``fault_detail`` says how; ``legal`` in this
    state; its length ``fits``.
    """
    opcode = receiver.opcode
    legal = may_come(m, opcode, state, LATTICE_LEGAL_STATES)
    checks = {"legal": held(m, "legal", legal)}
    records = {LOADING: loader.fits}
    fits = length_fits(m, opcode, receiver.length, LATTICE_FIXED_LENGTHS, records)
    checks["fits"] = held(m, "fits", fits)
    checks["fault"] = held(m, "fault", receiver.error)
    checks["fault_detail"] = held(m, "fault_detail", receiver.detail)
    checks["broken"] = held(m, "broken", receiver.error != 0)
    return checks


def ending(m, state, command, responder, response):
    """``state`` is READY behind a run, once the last word of its end left on ``response``; gives
    the state in which the command at hand came."""
    waits, seen = Signal(), Signal(State)
    # both a cycle late: what comes first stays first
    ended = held(m, "ended", waits & response.valid & response.ready & response.payload.last)
    came = held(m, "came", command.valid & command.ready & command.payload.last)
    with m.If(responder.run_answered):
        m.d.sync += waits.eq(1)
    with m.If(ended):
        m.d.sync += [waits.eq(0), state.eq(State.READY)]
    with m.If(came):
        m.d.sync += seen.eq(Mux(ended, State.READY, state))
    return seen


def findings(m, word, columns, state, settings, progress):
    """What the commands with a payload of fixed length are checked against, by name.

    ``word`` is the first of the payload; ``columns`` and ``state`` are what READ shows of them.
    """
    most = progress.most_columns
    found = {
        "bad_columns": word[0] | (word == 0) | (word > most),
        "incomplete": progress.incomplete,
        "which": progress.missing,
        "too_many": settings.settings.steps > progress.steps,
        "known": settings.known,
        "shown": settings.shown,
        "value": Mux(word[0], columns, state),
        "unset": settings.error,
        "unset_detail": settings.detail,
    }
    return {name: held(m, name, finding) for name, finding in found.items()}
