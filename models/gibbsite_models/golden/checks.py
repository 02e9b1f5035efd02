"""What the shell checks before it takes a payload, in the order in which the first failure answers.

Each function raises `Refused` with the error code and the detail word, or changes nothing and
returns what it decoded. Payload indices count from 0; word 0 of a payload is its first address.

Source: "The shell" in docs/graph-engine.md. Twin: ``gibbsite_hw.graph_shell``.
"""

from collections.abc import Sequence

from gibbsite_hw.spec.langevin_packets import LangevinErrorCode
from gibbsite_hw.spec.lattice_packets import LatticeErrorCode
from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row, decode_entry

__all__ = [
    "Refused",
    "check_entries",
    "check_program",
    "check_run",
    "check_signed",
    "check_words",
    "decode_rows",
]

_DESCRIPTOR_BITS = 18


class Refused(Exception):
    """A command is refused: the error code and the detail word of the answer."""

    def __init__(self, code: ErrorCode | LangevinErrorCode | LatticeErrorCode, detail: int) -> None:
        super().__init__(f"{code.name} ({detail})")
        self.code = code
        self.detail = detail


def decode_rows(parameters: GraphParameters, payload: Sequence[int]) -> list[Row]:
    """Rows of a ROWS payload; BAD_VALUE with the descriptor's index for one that does not fit."""
    rows: list[Row] = []
    for at in range(1, len(payload), 2):
        row = Row.decode(payload[at], payload[at + 1])
        if payload[at] >> _DESCRIPTOR_BITS or not row.fits(parameters):
            raise Refused(ErrorCode.BAD_VALUE, at)
        rows.append(row)
    return rows


def check_entries(parameters: GraphParameters, rows: int, payload: Sequence[int]) -> None:
    """BAD_VALUE for an address outside the program, a bit above the kind or the least weight."""
    width = parameters.address_bits + parameters.weight_bits + 1
    for at in range(1, len(payload)):
        address, weight, _ = decode_entry(parameters, payload[at])
        inside = address < rows * parameters.lanes and weight >= -parameters.weight_max
        if payload[at] >> width or not inside:
            raise Refused(ErrorCode.BAD_VALUE, at)


def check_signed(largest: int, payload: Sequence[int]) -> list[int]:
    """Codes of sign-extended words; BAD_VALUE for one beyond +-largest."""
    codes: list[int] = []
    for at in range(1, len(payload)):
        code = payload[at] - (payload[at] >> 31 << 32)
        if abs(code) > largest:
            raise Refused(ErrorCode.BAD_VALUE, at)
        codes.append(code)
    return codes


def check_words(largest: int, payload: Sequence[int]) -> None:
    """BAD_VALUE for the first word above ``largest``."""
    for at in range(1, len(payload)):
        if payload[at] > largest:
            raise Refused(ErrorCode.BAD_VALUE, at)


def check_program(parameters: GraphParameters, rows: Sequence[Row], words: int) -> None:
    """BAD_ROWS or BAD_GROUP where rows do not fit each other, BAD_ROWS for a wrong sum of words."""
    inside, states = False, 0
    for number, row in enumerate(rows):
        starts_wrong = row.group and row.first == inside
        breaks_in = inside and (not row.group or (row.barrier and not row.last))
        opens_at_barrier = row.group and row.barrier and not row.last
        ends_wrong = number == len(rows) - 1 and (not row.barrier or (row.group and not row.last))
        if starts_wrong or breaks_in or opens_at_barrier or ends_wrong:
            raise Refused(ErrorCode.BAD_ROWS, number)
        if row.group:
            states = (0 if row.first else states) + row.mask.bit_count()
            if states > parameters.max_group:
                raise Refused(ErrorCode.BAD_GROUP, number)
        inside = row.group and not row.last
    if sum(row.length for row in rows) != words:
        raise Refused(ErrorCode.BAD_ROWS, len(rows))


def check_run(
    rows: Sequence[Row], ons: Sequence[int], offs: Sequence[int], given: Sequence[int] | None
) -> None:
    """Clamps, and the given state if there is one, row by row: the first failure answers."""
    pinned, left, chosen = 0, 0, 0
    for number, row in enumerate(rows):
        on, off = ons[number] & row.mask, offs[number] & row.mask
        if not row.group or row.first:
            pinned, left, chosen = 0, 0, 0
        pinned += on.bit_count()
        left += (row.mask & ~off).bit_count()
        if on & off or (row.group and pinned > 1):
            raise Refused(ErrorCode.PINNED_TWICE, number)
        if row.group and row.last and left == 0:
            raise Refused(ErrorCode.NO_STATE_LEFT, number)
        if given is None:
            continue
        state = given[number]
        chosen += state.bit_count()
        wrong_count = row.group and (chosen > 1 or (row.last and chosen == 0))
        if state & ~row.mask or wrong_count:
            raise Refused(ErrorCode.STATE_NOT_ONE_HOT, number)
        if state & off or on & ~state:
            raise Refused(ErrorCode.STATE_AGAINST_CLAMP, number)
