"""Bitwuzla as the program that SymbiYosys calls: SMT-LIB commands in, answers out.

PyPI has Bitwuzla as a Python module only, and its parser cannot pop. So assertions are kept here
and each (check-sat) solves them afresh; on these proofs that is up to a hundred times faster than
Z3.
"""

import sys
from collections.abc import Iterable, Iterator

from bitwuzla import Option, Options, Parser, TermManager

__all__ = ["serve"]


def commands(lines: Iterable[str]) -> Iterator[str]:
    """Whole commands: lines up to the one that closes all brackets, without comments."""
    depth, text = 0, ""
    for line in lines:
        body = line if "|" in line else line.split(";", 1)[0]
        text += body
        unquoted = "".join(body.split("|")[::2])
        depth += unquoted.count("(") - unquoted.count(")")
        if depth == 0 and text.strip():
            yield text.strip()
            text = ""


def serve(lines: Iterable[str]) -> None:
    """Answer on standard output, as a solver does."""
    levels: list[list[str]] = [[]]
    parser = None
    for command in commands(lines):
        verb = command.strip("()").split()[0]
        if verb == "exit":
            break
        if verb == "check-sat":
            options = Options()
            options.set(Option.PRODUCE_MODELS, True)
            parser = Parser(TermManager(), options)
            text = "\n".join([*(line for level in levels for line in level), command])
            parser.parse(text, parse_only=False, parse_file=False)
        elif verb.startswith("get-"):
            if parser is None:
                raise ValueError(f"no model to ask for {command}: check-sat comes first")
            parser.parse(command, parse_only=False, parse_file=False)
        elif verb == "push":
            parser = None
            levels.append([])
        elif verb == "pop":
            parser = None
            levels.pop()
        elif verb != "set-info":
            levels[-1].append(command)
            if verb == "assert":
                parser = None
            elif parser is not None:  # a definition for the questions that follow
                parser.parse(command, parse_only=False, parse_file=False)
        sys.stdout.flush()


if __name__ == "__main__" and "--help" not in sys.argv:  # SymbiYosys looks whether it is there
    serve(sys.stdin)
