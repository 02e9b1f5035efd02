"""What is wrong with a call of the command, in a sentence that shows the value that was given.

Typer hands the words of an option to pydantic, whose sentence names a kind of number and not what
was found instead: here both stand, for all options of all commands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from typer.exceptions import TyperException

__all__ = ["usage_sentence"]

NUMBERS: Final = {
    "float_parsing": "number",
    "int_from_float": "whole number",
    "int_parsing": "whole number",
    "int_parsing_size": "whole number of so few digits that it can be read",
}
"""Pydantic's name of what went wrong, and what an option wanted that is no such thing."""

SHOWN: Final = 60
"""Characters of a value that a sentence shows."""


def usage_sentence(
    error: TyperException, arguments: Sequence[str], commands: Collection[str]
) -> str:
    """What was wrong, what was found, and whose help tells how the call is written.

    ``arguments`` of the call, the first of them perhaps one of ``commands``.
    """
    return f"{_wrong(error)}; see `{_path(error, arguments, commands)} --help`"


def _wrong(error: TyperException) -> str:
    sentence = error.format_message().rstrip(".")
    cause = error.__cause__
    if cause is None or not hasattr(cause, "errors"):  # pydantic's, imported with its first error
        return sentence
    for found in cause.errors():
        said, value = found["msg"].rstrip("."), str(found["input"])
        shown = f"found {value[:SHOWN] + '...' if len(value) > SHOWN else value!r}"
        if found["type"] in NUMBERS:
            sentence = sentence.replace(said, f"{shown}, which is no {NUMBERS[found['type']]}")
        elif repr(value) not in said:
            sentence = sentence.replace(said, f"{shown}: {said}")
    return sentence.replace("Value error, ", "")  # a kind of error says nothing to who typed it


def _path(error: TyperException, arguments: Sequence[str], commands: Collection[str]) -> str:
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    # an option without its value is met before the error knows its command
    return " ".join(["gibbsite", *(word for word in arguments[:1] if word in commands)])
