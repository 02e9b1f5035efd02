"""The golden lattice shell: every refusal as it is written down, and that none changes anything."""

import pytest

from gibbsite_hw.spec.lattice_packets import (
    LATTICE_LEGAL_STATES,
    LatticeErrorCode,
    LatticeOpcode,
    LatticeResponse,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.packets import header
from gibbsite_hw.spec.registers import State
from gibbsite_models.golden.lattice_shell import LatticeShell
from gibbsite_sim.cosim.lattice_mistakes import lattice_mistakes

BUILDS = [
    LatticeParameters(rows=6, columns=8, schedule_steps=4, payload_words=64),
    LatticeParameters(rows=34, columns=4, neighbours=12, schedule_steps=4, payload_words=320),
]
_O = LatticeOpcode


def ask(shell: LatticeShell, opcode: int, *payload: int) -> list[int]:
    shell.send([header(opcode, 0x33, len(payload)), *payload])
    return shell.receive()


def whole(shell: LatticeShell, p: LatticeParameters) -> None:
    """A program of zeros, committed."""
    rules = p.neighbours // 4
    ask(shell, _O.BEGIN, p.columns)
    for site in range(0, p.columns * p.rows, 2):
        assert ask(shell, _O.COUPLINGS, site, *[0] * 2 * rules)[0] >> 24 == LatticeResponse.OK
        assert ask(shell, _O.BIASES, site, 1, 2)[0] >> 24 == LatticeResponse.OK
    assert ask(shell, _O.COMMIT)[0] >> 24 == LatticeResponse.OK


@pytest.mark.parametrize("p", BUILDS)
def test_refusals(p: LatticeParameters) -> None:
    shell, state, seen = LatticeShell(p, 1), State.EMPTY, set()
    for mistake in lattice_mistakes(p, p.columns):
        if mistake.state != state:
            state = mistake.state
            ask(shell, _O.BEGIN, p.columns)
            if state is State.READY:
                whole(shell, p)
        answer = ask(shell, mistake.opcode, *mistake.payload)
        if mistake.wanted is None:
            assert answer[0] >> 24 != LatticeResponse.ERROR, (mistake, answer)
        else:
            assert answer[0] >> 24 == LatticeResponse.ERROR, mistake
            assert tuple(answer[1:]) == mistake.wanted
            seen.add(mistake.wanted[0])
        assert ask(shell, _O.READ, 0x10)[1] == state
    assert len(seen) == len(LatticeErrorCode) - 4  # framing has a test of its own


@pytest.mark.parametrize("opcode", list(_O))
def test_commands_in_states_that_forbid_them(opcode: LatticeOpcode) -> None:
    p = BUILDS[0]
    shell = LatticeShell(p, 1)
    for state in (State.EMPTY, State.LOADING, State.READY, State.RUNNING):
        if state is State.LOADING:
            ask(shell, _O.BEGIN, p.columns)
        elif state is State.READY:
            whole(shell, p)
        elif state is State.RUNNING:
            ask(shell, _O.WRITE, 0x04, 9)
            ask(shell, _O.RUN)
        if state not in LATTICE_LEGAL_STATES[opcode]:
            assert ask(shell, opcode)[1:] == [LatticeErrorCode.WRONG_STATE, state]


def test_a_run_that_is_aborted_ends_with_what_it_sent() -> None:
    shell = LatticeShell(BUILDS[0], 1)
    whole(shell, BUILDS[0])
    ask(shell, _O.WRITE, 0x04, 9)
    ask(shell, _O.RUN)
    assert shell.receive()[0] >> 24 == LatticeResponse.DRAW
    assert ask(shell, _O.ABORT)[0] >> 24 == LatticeResponse.OK
    ended = shell.receive()
    assert ended[0] >> 24 == LatticeResponse.ABORTED
    assert ended[9] == 1  # reads
    assert not shell.pending
