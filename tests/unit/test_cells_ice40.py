"""Our models of iCE40 cells against what Lattice's guides say of them, in every mode in use.

The truth relied on is restated here in another form than in the models. Block memory
(FPGA-TN-02002, four shapes of 4,096 bits; pins and places by Project IceStorm), bit n of word a:

    mode   bits of a word   pin       bit of the memory
    0      16               n         16 a + n
    1      8                2 n       16 (a mod 256) + 2 n + a div 256
    2      4                4 n + 1   16 (a mod 256) + 4 n + a div 256
    3      2                8 n + 3   16 (a mod 256) + 8 n + a div 256

It reads at the clock with RE and RCLKE, writes with WE and WCLKE, in mode 0 but for the bits whose
MASK is high. Large memory (FPGA-TN-02022): with CHIPSELECT it reads, or with WREN writes each group
of four bits whose MASKWREN is high. Multiplier (FPGA-TN-02007): A B, or {C, D} + A B. Logic cell
(FPGA-DS-02029): a table of four inputs, the carry of I1 + I2 + carry in, a flip-flop whose enable
is over its synchronous reset.
"""

from pathlib import Path
from random import Random

import pytest

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.bench import models_of, run_bench

pytestmark = pytest.mark.sim

CYCLES = 400
RAM_MODES = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (3, 0)]  # (read, write)
RAM_PINS = {"RADDR": 11, "WADDR": 11, "MASK": 16, "WDATA": 16}
RAM_BITS = {"RE": 1, "RCLKE": 1, "WE": 1, "WCLKE": 1}
LARGE_PINS = {"ADDRESS": 14, "DATAIN": 16, "MASKWREN": 4}
LARGE_BITS = {"CHIPSELECT": 1, "WREN": 1}
PRODUCTS = [(a, b, adds) for a in (0, 1) for b in (0, 1) for adds in (0, 1)]
PRODUCT_PINS = {"A": 16, "B": 16, "C": 16, "D": 16}
# (table, carry, constant carry in, its value, flip-flop, set instead of reset)
CELLS = [
    (0xCAFE, 0, 0, 0, 0, 0),
    (0x9669, 1, 0, 0, 0, 0),
    (0x1234, 1, 1, 1, 0, 0),
    (0xE8D4, 1, 1, 0, 0, 0),
    (0x6B3A, 1, 0, 0, 1, 0),
    (0x71C5, 0, 0, 0, 1, 1),
    (0x0FF0, 1, 1, 0, 1, 0),
    (0x5AA3, 1, 1, 1, 1, 0),
]
CELL_BITS = dict.fromkeys(("I0", "I1", "I2", "I3", "CIN", "CEN", "SR"), 1)
INIT = Random(4).getrandbits(4096)


def steps() -> dict[str, list[dict[str, int]]]:
    """What each kind of cell is given; few addresses, so that what is written is read."""
    random = Random(5)

    def chosen(pins: dict[str, int], likely: dict[str, float]) -> dict[str, int]:
        found = {name: random.getrandbits(size) for name, size in pins.items()}
        return {**found, **{name: int(random.random() < p) for name, p in likely.items()}}

    ram, large, product, cell = [], [], [], []
    for _ in range(CYCLES):
        ram.append(chosen(RAM_PINS, {"RE": 0.9, "RCLKE": 0.9, "WE": 0.7, "WCLKE": 0.8}))
        for name in ("RADDR", "WADDR"):
            ram[-1][name] &= 0b11100000001
        large.append(chosen(LARGE_PINS, {"CHIPSELECT": 0.9, "WREN": 0.5}))
        large[-1]["ADDRESS"] &= 0b10000000010001
        cell.append(chosen(CELL_BITS, {"CEN": 0.7, "SR": 0.2}))
    edges = (0, 1, 0x7FFF, 0x8000, 0xFFFF)
    for a in edges:
        product += [{"A": a, "B": b, "C": a, "D": b ^ 0x8000} for b in edges]
    product += [chosen(PRODUCT_PINS, {}) for _ in range(CYCLES - len(product))]
    return {"ram": ram, "large": large, "product": product, "cell": cell}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[int]]]:
    """What each kind of cell shows after each step, by our models."""
    return show(tmp_path_factory.mktemp("cells"), models_of("ice40"))


def show(folder: Path, models: list[Path]) -> dict[str, list[list[int]]]:
    """The same by any models."""
    found: dict[str, list[list[int]]] = {}
    for line in run_bench(folder, whole_bench(), models):
        kind, *values = line.split()
        found.setdefault(kind, []).append([int(value, 16) for value in values])
    return found


def place(mode: int, address: int, bit: int) -> tuple[int, int]:
    """(pin, bit of the memory), as the table above has them."""
    high, low = divmod(address % (256 << mode), 256)
    return (bit << mode) + (0, 0, 1, 3)[mode], 16 * low + (bit << mode) + high


def check_ram(shown: list[list[int]]) -> None:
    """The block memory, in each pair of modes."""
    for number, (read, write) in enumerate(RAM_MODES):
        memory = [INIT >> bit & 1 for bit in range(4096)]
        out = dict.fromkeys((place(read, 0, n)[0] for n in range(16 >> read)), 0)
        checked = turned = 0
        for step, values in zip(steps()["ram"], shown, strict=True):
            new = {}
            if step["WE"] and step["WCLKE"]:
                for n in range(16 >> write):
                    pin, bit = place(write, step["WADDR"], n)
                    if write or not step["MASK"] >> n & 1:
                        new[bit] = step["WDATA"] >> pin & 1
            if step["RE"] and step["RCLKE"]:
                for n in range(16 >> read):
                    pin, bit = place(read, step["RADDR"], n)
                    # what is written in this cycle is read wrong on purpose
                    out[pin] = memory[bit] ^ (bit in new)
                    turned += bit in new
            for pin, value in out.items():
                assert values[number] >> pin & 1 == value, (read, write, pin)
                checked += 1
            for bit, value in new.items():
                memory[bit] = value
        assert checked == CYCLES * (16 >> read)
        assert turned > 10


def check_large(shown: list[list[int]]) -> None:
    """The large memory; what was never written, and the output after a write, is not promised."""
    nibbles: dict[tuple[int, int], int] = {}
    out: dict[int, int] = {}
    checked = 0
    for step, (value,) in zip(steps()["large"], shown, strict=True):
        address = step["ADDRESS"]
        if step["CHIPSELECT"] and step["WREN"]:
            out = {}
            for n in range(4):
                if step["MASKWREN"] >> n & 1:
                    nibbles[address, n] = step["DATAIN"] >> 4 * n & 15
        elif step["CHIPSELECT"]:
            out = {n: nibbles[address, n] for n in range(4) if (address, n) in nibbles}
        for n, expected in out.items():
            assert value >> 4 * n & 15 == expected
            checked += 1
    assert checked > CYCLES


def check_product(shown: list[list[int]]) -> None:
    """The multiplier, of signed and unsigned factors, with and without its adders."""
    for step, values in zip(steps()["product"], shown, strict=True):
        for (signed_a, signed_b, adds), value in zip(PRODUCTS, values, strict=True):
            a = step["A"] - (step["A"] >> 15 << 16) * signed_a
            b = step["B"] - (step["B"] >> 15 << 16) * signed_b
            addend = (step["C"] << 16 | step["D"]) * adds
            assert value == (a * b + addend) % (1 << 32), (signed_a, signed_b, adds)


def check_cell(shown: list[list[int]]) -> None:
    """The logic cell: table, carry, flip-flop."""
    for number, (table, carries, constant, carry_in, keeps, sets) in enumerate(CELLS):
        state = 0
        for step, values in zip(steps()["cell"], shown, strict=True):
            found = table >> sum(step[f"I{n}"] << n for n in range(4)) & 1
            if step["CEN"]:
                state = sets if step["SR"] else found
            out, local, carry = (values[number] >> n & 1 for n in (2, 1, 0))
            assert (out, local) == (state if keeps else found, found), number
            if carries:
                cin = carry_in if constant else step["CIN"]
                assert carry == (step["I1"] + step["I2"] + cin) // 2, number


CHECKS = {"ram": check_ram, "large": check_large, "product": check_product, "cell": check_cell}


@pytest.mark.parametrize("kind", CHECKS)
def test_the_cell_is_what_the_guide_says(kind: str, shown: dict[str, list[list[int]]]) -> None:
    CHECKS[kind](shown[kind])


@pytest.mark.nightly
def test_a_wrong_model_is_seen(tmp_path: Path) -> None:
    faults = {
        "1: for (r = 0; r < 8; r = r + 1) out[2 * r] = read[2 * r + place[8]]": (
            "1: for (r = 0; r < 8; r = r + 1) out[2 * r] = read[2 * r + !place[8]]"
        ),
        "{4{MASKWREN_2}}": "{4{MASKWREN_1}}",
        "B_SIGNED[0] & b[15]": "A_SIGNED[0] & b[15]",
        "if (CEN) state <= SR ? SET_NORESET : table_out": (
            "if (CEN | SR) state <= SR ? SET_NORESET : table_out"
        ),
    }
    text = "\n".join(path.read_text("utf-8") for path in models_of("ice40"))
    for right, wrong in faults.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    (tmp_path / "wrong.v").write_text(text, encoding="utf-8")
    found = show(tmp_path, [tmp_path / "wrong.v"])
    for kind, check in CHECKS.items():
        with pytest.raises(AssertionError):
            check(found[kind])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("ICESTORM_LC #(.ASYNC_SR(1)) m();", "clock or reset is not modelled"),
        ("ICESTORM_RAM #(.NEG_CLK_R(1)) m();", "mode is not modelled"),
        ("ICESTORM_DSP #(.A_REG(1)) m();", "registers and two multipliers"),
        ("ICESTORM_DSP #(.TOPOUTPUT_SELECT(1)) m();", "this output is not modelled"),
    ],
)
@pytest.mark.nightly
def test_an_unknown_mode_ends_the_simulation(cell: str, said: str, tmp_path: Path) -> None:
    bench = f"module bench;\n  {cell}\n  initial #10 $finish;\nendmodule\n"
    with pytest.raises(DeviceError, match=said):
        run_bench(tmp_path, bench, models_of("ice40"))


def joined(pins: dict[str, int]) -> list[str]:
    """Pins NAME_0, NAME_1 ... at the bits of the register of that name."""
    return [f".{name}_{n}({name}[{n}])" for name, size in pins.items() for n in range(size)]


def alone(pins: dict[str, int]) -> list[str]:
    """Pins at the register of that name."""
    return [f".{name}({name})" for name in pins]


def whole_bench() -> str:
    """A bench of every kind of cell, each kind in a module of its own, one after the other."""
    ram, large, product, cell = [], [], [], []
    inits = [f".INIT_{n:X}(256'h{INIT >> 256 * n & (1 << 256) - 1:x})" for n in range(16)]
    for number, (read, write) in enumerate(RAM_MODES):
        settings = [f".READ_MODE({read})", f".WRITE_MODE({write})", *inits]
        pins = [*joined(RAM_PINS), *alone(RAM_BITS), ".RCLK(clk)", ".WCLK(clk)"]
        pins += [f".RDATA_{n}(out{number}[{n}])" for n in range(16)]
        ram.append(f"ICESTORM_RAM #({', '.join(settings)}) m{number}({', '.join(pins)});")
    pins = [*joined(LARGE_PINS), *alone(LARGE_BITS), ".CLOCK(clk)", ".POWEROFF(1'b1)"]
    pins += [".STANDBY(1'b0)", ".SLEEP(1'b0)", *(f".DATAOUT_{n}(out0[{n}])" for n in range(16))]
    large.append(f"ICESTORM_SPRAM m0({', '.join(pins)});")
    for number, (signed_a, signed_b, adds) in enumerate(PRODUCTS):
        settings = [f".A_SIGNED({signed_a})", f".B_SIGNED({signed_b})"]
        for half in ("TOP", "BOT"):
            settings.append(f".{half}OUTPUT_SELECT({0 if adds else 3})")
            settings += [f".{half}ADDSUB_LOWERINPUT(2)", f".{half}ADDSUB_UPPERINPUT(1)"]
        settings.append(".TOPADDSUB_CARRYSELECT(3)")
        low = ("ADDSUBTOP", "ADDSUBBOT", "OLOADTOP", "OLOADBOT")
        pins = [*joined(PRODUCT_PINS), *(f".{name}(1'b0)" for name in low)]
        pins += [f".O_{n}(out{number}[{n}])" for n in range(32)]
        product.append(f"ICESTORM_DSP #({', '.join(settings)}) m{number}({', '.join(pins)});")
    names = ("CARRY_ENABLE", "CIN_CONST", "CIN_SET", "DFF_ENABLE", "SET_NORESET")
    for number, (table, *flags) in enumerate(CELLS):
        settings = [f".LUT_INIT(16'h{table:x})"]
        settings += [f".{name}({flag})" for name, flag in zip(names, flags, strict=True)]
        outputs = [f".{name}(out{number}[{n}])" for n, name in ((2, "O"), (1, "LO"), (0, "COUT"))]
        pins = [*alone(CELL_BITS), ".CLK(clk)", *outputs]
        cell.append(f"ICESTORM_LC #({', '.join(settings)}) m{number}({', '.join(pins)});")
    return "\n".join(
        [
            "module bench;",
            "  ram_bench r(); large_bench l(); product_bench p(); cell_bench c();",
            f"  initial #{4 * CYCLES + 100} $finish;\nendmodule",
            part("ram", {**RAM_PINS, **RAM_BITS}, ram, 16),
            part("large", {**LARGE_PINS, **LARGE_BITS}, large, 16),
            part("product", PRODUCT_PINS, product, 32),
            part("cell", CELL_BITS, cell, 3),
        ]
    )


def part(kind: str, pins: dict[str, int], cells: list[str], width: int) -> str:
    """A module that gives its cells the steps of a kind, and prints their outputs after each."""
    given = []
    total = sum(pins.values())
    for step in steps()[kind]:
        word = 0
        for name, size in pins.items():
            word = word << size | step[name]
        given.append(f"    steps[{len(given)}] = {total}'h{word:x};")
    registers = "\n".join(f"  reg [{size - 1}:0] {name} = 0;" for name, size in pins.items())
    outputs = [f"out{n}" for n in range(len(cells))]
    return f"""
module {kind}_bench;
  reg clk = 0;
{registers}
  reg [{total - 1}:0] steps [0:{len(given) - 1}];
  wire [{width - 1}:0] {", ".join(outputs)};
  {" ".join(cells)}
  integer n;
  initial begin
{chr(10).join(given)}
    #1;
    for (n = 0; n < {len(given)}; n = n + 1) begin
      {{{", ".join(pins)}}} = steps[n];
      #1 clk = 1;
      #1 $display("{kind} {" ".join("%h" for _ in outputs)}", {", ".join(outputs)});
      clk = 0;
      #1;
    end
  end
endmodule
"""
