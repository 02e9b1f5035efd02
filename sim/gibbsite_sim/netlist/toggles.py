"""Counts how often the nets of a routed netlist change, by the type of the cell that drives them.

    toggles[type] = sum over cycles and nets of  value[cycle] xor value[cycle - 1]

Values are those at the clock's rising edge: the clock itself and glitches are not seen.
Twin: `gibbsite.ledger.fpga`, which makes joules of the counts.
"""

from typing import Any

from gibbsite_hw.spec.errors import DeviceError

__all__ = ["MOST_TYPES", "counters", "watched", "watch"]

MOST_TYPES = 16
"""Types of cells that `routed.v` has counters for, 64 bits each."""

_PORT = "toggles"


def watched(top: dict[str, Any]) -> dict[str, list[int]]:
    """Type of cell -> the nets that its cells drive, in a fixed order.

    Raises:
        DeviceError: there are more types than counters.
    """
    nets: dict[str, list[int]] = {}
    for cell in top["cells"].values():
        for pin, way in sorted(cell["port_directions"].items()):
            if way == "output":
                driven = (bit for bit in cell["connections"].get(pin, ()) if isinstance(bit, int))
                nets.setdefault(cell["type"], []).extend(driven)
    found = {kind: nets[kind] for kind in sorted(nets) if nets[kind]}
    if len(found) > MOST_TYPES:
        raise DeviceError(
            f"the netlist has {len(found)} types of cells and {MOST_TYPES} are counted: raise "
            "MOST_TYPES and the width of routed.v together"
        )
    return found


def watch(top: dict[str, Any]) -> None:
    """Give the module outputs of all nets that its cells drive, 64 at a time."""
    for bits in watched(top).values():
        for part in _parts(bits):
            name = _name(top)
            top["ports"][name] = {"direction": "output", "bits": part}
            top["netnames"][name] = {"hide_name": 0, "bits": part, "attributes": {}}


def counters(top: dict[str, Any]) -> tuple[str, list[str]]:
    """Verilog that counts into ``toggles``, and how the outputs of `watch` are joined to it."""
    lines, joined, at = [], [], 0
    for number, bits in enumerate(watched(top).values()):
        count = f"toggles[{64 * number} +: 64]"
        steps = []
        for part in _parts(bits):
            lines.append(f"  wire [{len(part) - 1}:0] now{at};")
            lines.append(f"  reg [{len(part) - 1}:0] before{at} = 0;")
            steps.append(f"    changed = changed + 64'($countones(now{at} ^ before{at}));")
            steps.append(f"    before{at} <= now{at};")
            joined.append(f"    .{_PORT}{at}(now{at})")
            at += 1
        lines += [
            f"  always @(posedge clk) begin : count{number}",
            *("    reg [63:0] changed;", "    changed = 0;", *steps),
            *(f"    {count} <= {count} + changed;", "  end"),
        ]
    return "\n".join([*lines, ""]), joined


def _parts(bits: list[int]) -> list[list[int]]:
    """In words of a machine: Verilator's parser overflows its stack on a list of ten thousand."""
    return [bits[at : at + 64] for at in range(0, len(bits), 64)]


def _name(top: dict[str, Any]) -> str:
    """The next free name of an output."""
    return f"{_PORT}{sum(port.startswith(_PORT) for port in top['ports'])}"
