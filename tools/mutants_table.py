"""The mutants: what each one changes, what that breaks, and the test that sees it."""

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]

PROOFS = "tests/formal/test_proofs.py::test_holds"
SHELL = "tests/cosim/test_small_shell.py"
BLOCK = "tests/cosim/test_cosim_blocks.py::test_streaming_block"


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
        f"{SHELL}::test_mistakes",
    ),
    # Killed by the small shell against golden.
    Mutant(
        "sign_of_a_term",
        "graph_field.py",
        "Mux(spin, weight2, Mux(state2, 0, -weight2))",
        "Mux(spin, -weight2, Mux(state2, 0, weight2))",
        "every coupling pulls the other way",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "fold_level_missing",
        "graph_field.py",
        "for level in range(1, parameters.lane_bits + 1):",
        "for level in range(1, parameters.lane_bits):",
        "lists shared by all lanes lose half of their terms",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "start_sees_all",
        "graph_field.py",
        "counts = ~self.starting | (row < self.row)",
        "counts = (row < self.row) | 1",
        "the start pass counts states of an earlier chain",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "bias_dropped",
        "graph_field.py",
        "self.field[lane].eq(chosen + self.bias[lane])",
        "self.field[lane].eq(chosen)",
        "fields without their bias",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "tie_to_later_lane",
        "graph_decide.py",
        "other.eq(other_key > key)",
        "other.eq(other_key >= key)",
        "of equal scores the later lane wins",
        f"{SHELL}::test_groups",
    ),
    Mutant(
        "tie_to_later_row",
        "graph_decide.py",
        "end7.first | (key7 > best_key)",
        "end7.first | (key7 >= best_key)",
        "of equal scores the later row wins",
        f"{SHELL}::test_groups",
    ),
    Mutant(
        "beta_shift",
        "graph_decide.py",
        ">> parameters.beta_shift)",
        ">> (parameters.beta_shift + 1))",
        "beta is halved",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "start_energy_doubled",
        "graph_decide.py",
        "gain = Mux(self.starting, field, field << 1)",
        "gain = field << 1",
        "the first energy counts p-bits twice",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "energy_of_unused_lanes",
        "graph_decide.py",
        "moves = end6.mask[lane] & (self.starting | (word6[lane] ^ old6[lane]))",
        "moves = self.starting | (word6[lane] ^ old6[lane])",
        "lanes without a slot add to the first energy",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "energy_of_old_chain",
        "graph_decide.py",
        "best_field - Mux(self.starting, 0, old_field)",
        "best_field - old_field",
        "the first energy subtracts what an earlier chain left",
        f"{SHELL}::test_groups",
    ),
    Mutant(
        "rotate_amount",
        "noise.py",
        "n3.rotate_left(11)",
        "n3.rotate_left(12)",
        "another stream, of unknown period",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "key_injected_early",
        "noise.py",
        "injections.eq((count >> (per - 1).bit_length()) + 1)",
        "injections.eq(count >> (per - 1).bit_length())",
        "the seed hash injects each key one time too early",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "gumbel_mirrored",
        "noise.py",
        "Mux(upper3 & ~gumbel3, -code, code)",
        "Mux(upper3, -code, code)",
        "the upper half of the Gumbel noise is turned",
        f"{SHELL}::test_groups",
    ),
    Mutant(
        "stale_best_copy",
        "graph.py",
        "best_write.en.eq(decide.copy & current_is_best),",
        "best_write.en.eq(decide.copy),",
        "every pass overwrites the best state",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "best_of_earlier_chain",
        "graph.py",
        "with m.If(fresh | (decide.energy < best_energy)):",
        "with m.If(decide.energy < best_energy):",
        "a chain inherits the best energy of the one before",
        f"{SHELL}::test_programs[2-7]",
    ),
    Mutant(
        "one_sweep_more",
        "graph.py",
        "left.eq(self.sweeps_per_step - 1)",
        "left.eq(self.sweeps_per_step)",
        "every step of the schedule takes one sweep too many",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "chain_not_hashed",
        "graph.py",
        "seed_hash.chain.eq((self.first_chain + chain)[:32])",
        "seed_hash.chain.eq(self.first_chain)",
        "all chains of a run are the same",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "updates_counter",
        "graph.py",
        "self.updates + sum(end1.mask)",
        "self.updates + 1",
        "rows are counted, not slots",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "noise_held_at_start",
        "graph.py",
        "with m.Elif(ends1):",
        "with m.Elif(ends1 & ~starting):",
        "the start pass uses one draw for all rows",
        f"{SHELL}::test_programs[10-3]",
    ),
    Mutant(
        "loader_bound",
        "device_loader.py",
        "(self.word + records > self.limit)",
        "(self.word + records > self.limit + 1)",
        "a packet may run past the last row",
        f"{SHELL}::test_mistakes",
    ),
    Mutant(
        "register_bound",
        "graph_shell.py",
        "(second < info.minimum) | (second > info.maximum)",
        "(second > info.maximum)",
        "a run of no chains is accepted",
        f"{SHELL}::test_mistakes",
    ),
    Mutant(
        "steps_unchecked",
        "graph_shell.py",
        "registers[Register.STEPS] > loaded[Opcode.SCHEDULE]",
        "registers[Register.STEPS] > loaded[Opcode.SCHEDULE] + 1",
        "a run reads a step that was never loaded",
        f"{SHELL}::test_mistakes",
    ),
    # Killed by the bench of a block.
    Mutant(
        "answers_mixed",
        "device_router.py",
        "with m.Elif(~inside & ~mine & other):",
        "with m.Elif(~mine & other):",
        "a pause in a packet of one engine lets a word of the other in",
        f"{BLOCK}[device_router-packets-short]",
    ),
    Mutant(
        "payload_routed",
        "device_router.py",
        "engine.eq(Mux(inside, held, command.payload.word[bit]))",
        "engine.eq(command.payload.word[bit])",
        "payload words go to the engine that their own bit 30 names",
        f"{BLOCK}[device_router-packets-short]",
    ),
)
