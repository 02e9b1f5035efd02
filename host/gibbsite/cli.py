"""The command `gibbsite`: solve, formalize, certify, devices, bench, energy.

Results go to stdout, all else to stderr.

Exit codes: 0 solved; 2 bad input or a refused request (its `error` document is printed); 3 no
feasible answer (the best attempt and what it violates are printed); 4 a device or a tool is missing
or failed; 130 interrupted. `certify`: 0 certified, 3 biased or not equilibrated, 5 unknown. An
error is one sentence, never a trace.

Commands import what they need when they run, so that `--help` and refusals answer at once.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from typer.exceptions import TyperException

from gibbsite.bench.command import bench
from gibbsite.certify_command import certify
from gibbsite.command_files import (
    InputError,
    OutputError,
    asked_of,
    close_stdout,
    refuse_undrawable,
    refuse_unwritable,
    written,
)
from gibbsite.default_device import DEFAULT_DEVICE
from gibbsite.energy_command import energy
from gibbsite.usage_errors import usage_sentence
from gibbsite_hw.spec.errors import DeviceError, GibbsiteError, ToolMissing, UnknownDevice

__all__ = ["InputError", "app", "main", "refuse_undrawable", "refuse_unwritable", "written"]

BAD_INPUT, NO_ANSWER, NO_DEVICE, INTERRUPTED = 2, 3, 4, 130
BROKEN_PIPE = 1
"""Nobody reads stdout any longer, as in `gibbsite ... | head -1`; rich ends with the same."""

app = typer.Typer(
    name="gibbsite",
    help="From a sentence to samples drawn by hardware, and back to an answer.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,  # what is expected becomes one line; a bug keeps its trace
)


class Vote(StrEnum):
    """How independent reads become one answer; feasible answers always come first."""

    energy = "energy"
    majority = "majority"
    best = "best"


Request = Annotated[
    str,
    typer.Argument(
        metavar="TEXT|-|FILE.json",
        help="A request in Polish or English, `-` to read one from stdin, or a problem document.",
    ),
]


@app.command()
def solve(
    request: Request,
    device: Annotated[
        str | None,
        typer.Option(help="Where to sample; see `gibbsite devices`.", show_default=DEFAULT_DEVICE),
    ] = None,
    reads: Annotated[
        int | None, typer.Option(metavar="N", help="Independent reads in a round.")
    ] = None,
    sweeps: Annotated[int | None, typer.Option(metavar="N", help="Sweeps in a read.")] = None,
    vote: Annotated[Vote, typer.Option(help="How the reads become one answer.")] = Vote.best,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Repeats a run to the bit.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the Result as JSON.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the Gantt chart and the energy trace here.")
    ] = None,
    waves: Annotated[
        Path | None, typer.Option(help="Record the device's waveform here (sim: only, .fst).")
    ] = None,
) -> int:
    """Answer a request with samples drawn by a device."""
    refuse_undrawable(plot)
    refuse_unwritable("--plot", plot)
    refuse_unwritable("--waves", waves)
    if waves is not None and waves.suffix.lower() != ".fst":
        raise InputError(f"--waves {waves} is recorded as FST; let its name end in .fst")
    if device is None:  # a waveform can only be that of the RTL
        device = DEFAULT_DEVICE if waves is None else "sim:"
    asked = asked_of(request)

    from gibbsite.progress import bars

    with bars() as progress:
        progress("planning", 0, None)  # until the end, between what the device does
        from gibbsite import orchestrator

        result = orchestrator.solve(
            asked,
            device=_address(device, waves),
            reads=reads,
            sweeps=sweeps,
            vote=vote.value,
            seed=seed,
            trace=plot is not None,
            progress=progress,
        )
    try:
        if plot is not None:
            from gibbsite import plot as drawing

            drawing.draw(result, plot)
    finally:
        # last, so that a reader who stops reading (`| head -1`) costs no picture
        if as_json:
            _print(result.model_dump_json())
        else:
            from gibbsite import report

            written(lambda: report.show(result))
    return 0 if result.feasible else NO_ANSWER


@app.command()
def formalize(request: Request) -> None:
    """Print the problem document of a request as JSON."""
    from gibbsite.formalizer import Formalization, formalize_with_notes

    asked = asked_of(request)
    read = formalize_with_notes(asked) if isinstance(asked, str) else Formalization(asked)
    for note in read.notes:
        typer.echo(f"assumed: {note}", err=True)
    _print(read.problem.model_dump_json())


@app.command()
def devices() -> None:
    """List the devices that can be opened, and what is missing for the others."""
    from gibbsite.devices import available

    for scheme in available():
        _print(f"{scheme.uri:9s} {scheme.what}")
        _print(f"{'':9s} takes {scheme.summary}")
        state = "ready" if scheme.missing is None else f"cannot be opened here: {scheme.missing}"
        _print(f"{'':9s} {state}")


app.command()(bench)
app.command()(certify)
app.command()(energy)


def main() -> None:
    """Run the command line and leave with its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # what a terminal's encoding lacks is written as its number, and is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every failure has become one line by then."""
    try:
        code = app(arguments or ["--help"], prog_name="gibbsite", standalone_mode=False)
    except TyperException as error:
        named = [one.callback.__name__ for one in app.registered_commands if one.callback]
        return _failed(usage_sentence(error, arguments, named), BAD_INPUT)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except (ToolMissing, UnknownDevice, DeviceError) as error:
        return _failed(str(error), NO_DEVICE)
    except GibbsiteError as error:
        return _refused(error)
    except BrokenPipeError:
        close_stdout()
        return BROKEN_PIPE
    if code == INTERRUPTED:
        return _failed("interrupted; nothing is left half-done", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _refused(error: GibbsiteError) -> int:
    """Print the `error` document of a refusal that has one, and its sentence."""
    document = getattr(error, "document", None)
    if document is not None:
        try:
            _print(document().model_dump_json())
        except OutputError as worse:
            return _failed(f"{error}; and {worse}", BAD_INPUT)
    return _failed(str(error), BAD_INPUT)


def _failed(sentence: str, code: int) -> int:
    typer.echo(f"gibbsite: {sentence}", err=True)
    return code


def _print(line: str) -> None:
    written(lambda: typer.echo(line))


def _address(device: str, waves: Path | None) -> str:
    """The address of the device, which also says where its waveform goes."""
    if waves is None:
        return device
    joint = "&" if "?" in device else "?"
    return f"{device}{joint}waves={quote(str(waves))}"
