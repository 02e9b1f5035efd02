"""Our models of ECP5 cells against what Lattice's guides say of them, in every mode in use.

The truth relied on, from FPGA-TN-02204 (memory) and FPGA-TN-02205 (multiplier), is restated here in
another form than in the models: a memory is 2,048 bytes of nine bits.

    width   address that counts   bytes                        bits within
    36      AD[13:5]              4 a, 4 a + 1, ... 4 a + 3    all
    18      AD[13:4]              2 a, 2 a + 1                 all
    9       AD[13:3]              a                            all
    4       AD[13:2]              a >> 1                       4 (a mod 2) ... + 3
    2       AD[13:1]              a >> 2                       2 (a mod 4), + 1
    1       AD[13:0]              a >> 3                       a mod 8

A port reads at the clock when it is enabled. When it writes, its output stays (NORMAL), shows what
is written (WRITETHROUGH) or what was there (READBEFOREWRITE). A synchronous reset clears it.
"""

from pathlib import Path
from random import Random

import pytest

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.bench import models_of, run_bench

pytestmark = pytest.mark.sim

CYCLES = 400
# (width of A, width of B, write mode of A, write mode of B)
MODES = [
    (18, 18, "NORMAL", "NORMAL"),
    (9, 9, "NORMAL", "NORMAL"),
    (4, 4, "WRITETHROUGH", "READBEFOREWRITE"),
    (2, 2, "NORMAL", "WRITETHROUGH"),
    (1, 1, "READBEFOREWRITE", "NORMAL"),
    (18, 9, "READBEFOREWRITE", "WRITETHROUGH"),
    (36, 36, "NORMAL", "NORMAL"),
    (36, 9, "NORMAL", "NORMAL"),
]
FIELDS = {"AD": 14, "DI": 18, "WE": 1, "CE": 1, "RST": 1}


def bits(width: int, address: int) -> list[tuple[int, int]]:
    """(byte, bit) of each data bit of an access, as the table above has them."""
    if width >= 9:
        first = (address >> {9: 3, 18: 4, 36: 5}[width]) * (width // 9)
        return [(first + n // 9, n % 9) for n in range(width)]
    place = address >> {4: 2, 2: 1, 1: 0}[width]
    byte, within = divmod(place, 8 // width)
    return [(byte, within * width + n) for n in range(width)]


class Guide:
    """One memory as the guide describes it."""

    def __init__(self, mode: tuple[int, int, str, str], init: list[int]) -> None:
        self.width = {"A": mode[0], "B": mode[1]}
        self.write_mode = {"A": mode[2], "B": mode[3]}
        self.wide = mode[0] == 36
        self.bit = {(byte, n): init[byte] >> n & 1 for byte in range(2048) for n in range(9)}
        self.out: dict[str, int | None] = {"A": 0, "B": 0}

    def clock(self, pins: dict[str, dict[str, int]]) -> None:
        """One edge of both clocks; an output becomes None where nobody promises what it is."""
        old = dict(self.bit)
        written: dict[str, dict[tuple[int, int], int]] = {"A": {}, "B": {}}
        for port, pin in pins.items():
            if pin["CE"] and pin["WE"] and not (self.wide and port == "B"):
                data = pin["DI"] | (pins["B"]["DI"] << 18 if self.wide else 0)
                for n, place in enumerate(bits(self.width[port], pin["AD"])):
                    # byte enables stand in the low bits of the address
                    if self.width[port] < 18 or pin["AD"] >> n // 9 & 1:
                        written[port][place] = data >> n & 1
        for port, pin in pins.items():
            writes = bool(pin["WE"]) and not (self.wide and port == "B")
            other = written["B" if port == "A" else "A"]
            if pin["RST"]:
                self.out[port] = 0
            elif pin["CE"] and not (writes and self.write_mode[port] == "NORMAL"):
                places = bits(self.width[port], pin["AD"])
                through = writes and self.write_mode[port] == "WRITETHROUGH"
                now = {**old, **written[port]} if through else old
                value = sum(now[place] << n for n, place in enumerate(places))
                self.out[port] = None if any(p in other for p in places) else value
        assert not written["A"].keys() & written["B"].keys()
        self.bit.update(written["A"])
        self.bit.update(written["B"])


def stimulus(random: Random) -> dict[str, dict[str, int]]:
    """Few addresses, so that what is written is read; both ports never write the same row pair."""
    pins = {}
    for port in "AB":
        pins[port] = {
            "AD": random.randrange(4) << 5 | random.randrange(32) | (random.random() < 0.1) << 13,
            "DI": random.getrandbits(18),
            "WE": int(random.random() < 0.4),
            "CE": int(random.random() < 0.9),
            "RST": int(random.random() < 0.05),
        }
    if pins["A"]["AD"] >> 5 == pins["B"]["AD"] >> 5 and pins["A"]["WE"]:
        pins["B"]["WE"] = 0
    return pins


def test_the_block_memory_is_what_the_guide_says(tmp_path: Path) -> None:
    random = Random(1)
    init = [random.getrandbits(9) for _ in range(2048)]
    steps = [stimulus(random) for _ in range(CYCLES)]
    lines = run_bench(tmp_path, memory_bench(init, steps), models_of("ecp5"))
    checked = turned = 0
    for number, mode in enumerate(MODES):
        guide = Guide(mode, init)
        for step, line in zip(steps, lines, strict=True):
            guide.clock(step)
            shown = int(line.split()[number], 16)
            wide_read = mode[1] == 36
            found = {"A": shown >> 18, "B": shown & 0x3FFFF}
            if wide_read:
                found = {"B": (shown & 0x3FFFF) << 18 | shown >> 18}  # low half on the pins of A
            elif guide.wide:
                del found["A"]
            for port, value in found.items():
                if (expected := guide.out[port]) is None:
                    turned += 1
                    continue
                assert value == expected, (mode, port)
                checked += 1
    assert checked > 15 * CYCLES * 0.8
    assert turned > 50


@pytest.mark.nightly  # the long test sees such reads as well; this one says which word it is
def test_what_collides_is_not_the_old_word(tmp_path: Path) -> None:
    quiet = {"AD": 3, "DI": 0x2AAAA, "WE": 0, "CE": 1, "RST": 0}
    # A writes the row 0 that B reads in that very cycle
    steps = [{"A": {**quiet, "WE": 1}, "B": dict(quiet)}]
    lines = run_bench(tmp_path, memory_bench([0x155] * 2048, steps), models_of("ecp5"))
    assert int(lines[0].split()[0], 16) & 0x3FFFF == 0x155 * 513 ^ 0x3FFFF


def memory_bench(init: list[int], steps: list[dict[str, dict[str, int]]]) -> str:
    """A bench that clocks one memory of each mode with the same pins and prints their outputs."""
    rows = [init[2 * n] | init[2 * n + 1] << 9 for n in range(1024)]
    values = []
    for slot in range(64):
        word = sum(row << 20 * n for n, row in enumerate(rows[16 * slot : 16 * slot + 16]))
        values.append(f".INITVAL_{slot:02X}(320'h{word:x})")
    memories, shown = [], []
    for number, (a, b, mode_a, mode_b) in enumerate(MODES):
        joined = []
        for port in "AB":
            joined += [f".AD{port}{n}(ad{port}[{n}])" for n in range(14)]
            joined += [f".DI{port}{n}(di{port}[{n}])" for n in range(18)]
            base = 18 if port == "A" else 0
            joined += [f".DO{port}{n}(out{number}[{base + n}])" for n in range(18)]
            joined += [f".{name}{port}({name.lower()}{port})" for name in ("WE", "CE", "RST")]
            joined += [f".CLK{port}(clk)", f".OCE{port}(1'b1)"]
            joined += [f".CS{port}{n}(1'b0)" for n in range(3)]
        settings = [f".DATA_WIDTH_A({a})", f".DATA_WIDTH_B({b})"]
        settings += [f'.WRITEMODE_A("{mode_a}")', f'.WRITEMODE_B("{mode_b}")', *values]
        memories.append(f"wire [35:0] out{number};")
        memories.append(f"DP16KD #({', '.join(settings)}) m{number}({', '.join(joined)});")
        shown.append(f"out{number}")
    width = 2 * sum(FIELDS.values())
    words = []
    for step in steps:
        word = 0
        for port in "AB":
            for name, size in FIELDS.items():
                word = word << size | step[port][name]
        words.append(f"    steps[{len(words)}] = {width}'h{word:x};")
    pins = ", ".join(f"{name.lower()}{port}" for port in "AB" for name in FIELDS)
    wires = "\n".join(
        f"  reg [{size - 1}:0] {name.lower()}{port};"
        for port in "AB"
        for name, size in FIELDS.items()
    )
    return f"""
module bench;
  reg clk = 0;
{wires}
  reg [{width - 1}:0] steps [0:{len(steps) - 1}];
  {" ".join(memories)}
  integer n;
  initial begin
{chr(10).join(words)}
    #1;
    for (n = 0; n < {len(steps)}; n = n + 1) begin
      {{{pins}}} = steps[n];
      #1 clk = 1;
      #1 $display("{" ".join("%h" for _ in shown)}", {", ".join(shown)});
      clk = 0;
      #1;
    end
    $finish;
  end
endmodule
"""


def test_the_multiplier_is_what_the_guide_says(tmp_path: Path) -> None:
    random = Random(2)
    edges = [0, 1, 0x1FFFF, 0x20000, 0x3FFFF]
    cases = [(a, b, s, t) for a in edges for b in edges for s in (0, 1) for t in (0, 1)]
    for _ in range(300):
        a, b = random.getrandbits(18), random.getrandbits(18)
        cases.append((a, b, random.getrandbits(1), random.getrandbits(1)))
    lines = run_bench(tmp_path, multiplier_bench(cases), models_of("ecp5"))
    for (a, b, signed_a, signed_b), line in zip(cases, lines, strict=True):
        x = a - (a >> 17 << 18 if signed_a else 0)
        y = b - (b >> 17 << 18 if signed_b else 0)
        assert int(line, 16) == x * y & (1 << 36) - 1


def multiplier_bench(cases: list[tuple[int, int, int, int]]) -> str:
    """A bench that prints a product a case."""
    joined = [f".{p}{n}({p.lower()}[{n}])" for p in "AB" for n in range(18)]
    joined += [f".P{n}(p[{n}])" for n in range(36)]
    joined += [".SIGNEDA(s)", ".SIGNEDB(t)", ".SOURCEA(1'b0)", ".SOURCEB(1'b0)"]
    steps = "\n".join(
        f"    a = 18'h{a:x}; b = 18'h{b:x}; s = {s}; t = {t}; #1 $display(\"%h\", p);"
        for a, b, s, t in cases
    )
    return f"""
module bench;
  reg [17:0] a, b;
  reg s, t;
  wire [35:0] p;
  MULT18X18D m({", ".join(joined)});
  initial begin
{steps}
    $finish;
  end
endmodule
"""


def test_a_distributed_memory_is_a_look_up_table_until_it_is_written(tmp_path: Path) -> None:
    """First values stand where the table of the same cell would have them; what is written to an
    address, whose bits 0 to 3 are read at D, B, C and A, is read there."""
    random = Random(3)
    table = random.getrandbits(16)
    word = {
        at: table >> (8 * (at & 1) + 4 * (at >> 2 & 1) + 2 * (at >> 1 & 1) + (at >> 3)) & 1
        for at in range(16)
    }
    expected, steps = [], []
    for at in range(16):
        steps.append(f'r = {at}; #1 $display("%b", f);')
        expected.append(word[at])
    for _ in range(200):
        at, into, value, enable = (random.randrange(n) for n in (16, 16, 2, 2))
        steps.append(f"r = {at}; w = {into}; d = {value}; e = {enable}; #1 c = 1; #1 c = 0;")
        steps.append('#1 $display("%b", f);')
        word[into] = value if enable else word[into]
        expected.append(word[at])
    bench = f"""
module bench;
  reg [3:0] r = 0, w = 0;
  reg c = 0, d = 0, e = 0;
  wire f;
  TRELLIS_COMB #(.MODE("DPRAM"), .INITVAL(16'h{table:x})) m(.D(r[0]), .B(r[1]), .C(r[2]), .A(r[3]),
    .WAD0(w[0]), .WAD1(w[1]), .WAD2(w[2]), .WAD3(w[3]), .WD(d), .WRE(e), .WCK(c), .F(f));
  initial begin
{chr(10).join(steps)}
    $finish;
  end
endmodule
"""
    lines = run_bench(tmp_path, bench, models_of("ecp5"))
    assert [int(line, 2) for line in lines] == expected


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('DP16KD #(.REGMODE_A("OUTREG")) m();', "output registers are not modelled"),
        ('DP16KD #(.DATA_WIDTH_A(36), .WRITEMODE_A("WRITETHROUGH")) m();', "pseudo dual port"),
        ('MULT18X18D #(.REG_OUTPUT_CLK("CLK0")) m();', "registers are not modelled"),
        ('TRELLIS_COMB #(.MODE("ROM")) m();', "mode is not modelled"),
        ('TRELLIS_FF #(.SRMODE("ASYNC")) m();', "SRMODE is not modelled"),
    ],
)
@pytest.mark.nightly
def test_an_unknown_mode_ends_the_simulation(cell: str, said: str, tmp_path: Path) -> None:
    bench = f"module bench;\n  {cell}\n  initial #10 $finish;\nendmodule\n"
    with pytest.raises(DeviceError, match=said):
        run_bench(tmp_path, bench, models_of("ecp5"))
