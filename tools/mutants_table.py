"""The mutants: what each one changes, what that breaks, and the test that sees it."""

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]

PROOFS = "tests/formal/test_proofs.py::test_holds"
SHELL = "tests/cosim/test_small_shell.py"


@dataclass(frozen=True)
class Mutant:
    """One fault: ``old`` occurs exactly once in ``file``; ``killer`` is a pytest node."""

    name: str
    file: str
    old: str
    new: str
    breaks: str
    killer: str


MUTANTS = (
    # Killed by proofs.
    Mutant(
        "clamp_off_ignored",
        "graph_decide.py",
        "free = used & ~forced & ~off5[lane]",
        "free = used & ~forced",
        "a removed state may win its group",
        f"{PROOFS}[decide]",
    ),
    Mutant(
        "clamp_on_ignored",
        "graph_decide.py",
        "~off5[lane] & (on5[lane] | (score > 0))",
        "~off5[lane] & (score > 0)",
        "a p-bit clamped on follows its score",
        f"{PROOFS}[decide]",
    ),
    Mutant(
        "lost_waiting_write",
        "graph_decide.py",
        "m.d.sync += wait.eq(commit_bits | commit_group)",
        "m.d.sync += wait.eq(0)",
        "a commit behind a two-write commit is dropped",
        f"{PROOFS}[decide]",
    ),
    Mutant(
        "stale_group_start",
        "graph_decide.py",
        "with m.If(end7.first | (key7 > best_key)):",
        "with m.If(key7 > best_key):",
        "a group's first row competes with the group before",
        f"{PROOFS}[decide]",
    ),
    Mutant(
        "old_state_kept",
        "graph_decide.py",
        "turn.eq(has_old & (old_row != best_row)),",
        "turn.eq(0),",
        "the old state of a group stays set beside the new one",
        f"{PROOFS}[decide]",
    ),
    Mutant(
        "dropped_stall",
        "graph_readout.py",
        "fire.eq(self.words.valid & self.words.ready),",
        "fire.eq(self.words.valid),",
        "a draw goes on while its reader stalls",
        f"{PROOFS}[readout]",
    ),
    Mutant(
        "stale_row_word",
        "graph_readout.py",
        "self.address.eq(Mux(fire, index + 1, index)),",
        "self.address.eq(index),",
        "rows of a draw come from the address before",
        f"{PROOFS}[readout]",
    ),
    Mutant(
        "answer_into_draw",
        "device_responder.py",
        "with m.If(fire & response.payload.last):",
        "with m.If(fire & (response.payload.last | pending)):",
        "an answer cuts into a draw that is on its way",
        f"{PROOFS}[responder]",
    ),
    Mutant(
        "answer_length",
        "device_responder.py",
        "response.payload.last.eq(index == length),",
        "response.payload.last.eq(index + 1 == length),",
        "an answer ends a word early",
        f"{PROOFS}[responder]",
    ),
    Mutant(
        "pinned_twice_unseen",
        "device_checker.py",
        "(on & (on - 1)[:lanes]).any() | (on.any() & pinned_before)",
        "(on & (on - 1)[:lanes]).any()",
        "two states pinned in different rows of a group are accepted",
        f"{PROOFS}[checker]",
    ),
    Mutant(
        "barrier_inside_group",
        "device_checker.py",
        "| (row.group & row.barrier & ~row.last)\n",
        "\n",
        "a group may reach over two colour classes",
        f"{PROOFS}[checker]",
    ),
    Mutant(
        "early_barrier",
        "graph_sequencer.py",
        "m.d.sync += wait.eq(BARRIER_CYCLES)",
        "m.d.sync += wait.eq(BARRIER_CYCLES - 1)",
        "a class is read a cycle before the one before it is committed",
        f"{PROOFS}[sequencer]",
    ),
    Mutant(
        "command_while_busy",
        "device_receiver.py",
        "self.command.ready.eq(~self.held),",
        "self.command.ready.eq(1),",
        "words are taken and lost while a command is at work",
        f"{PROOFS}[shell]",
    ),
    Mutant(
        "unchecked_word",
        "device_loader.py",
        "with m.If(bad & ~writing):",
        "with m.If(bad & writing):",
        "words before a bad one are written before the command is refused",
        f"{PROOFS}[loader]",
    ),
)
