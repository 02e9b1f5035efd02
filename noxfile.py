"""Every task of the project: `./tools/nox -s SESSION`, or `nox -s SESSION` where nox is at hand.

Sessions share two environments, made once from the committed lock files by `tools/environments.py`:
`solve` (what a user needs for `sim:`) and `dev` (all of it). nox's own environment handling is off,
because it would install the same hundred packages once for each session.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

from environments import executables, prepare  # noqa: E402  (tools/ is no package)

nox.needs_version = ">=2025.5"
nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "none"
nox.options.error_on_external_run = False

CODE = ["hw", "models", "sim", "host", "tests", "tools", "examples", "noxfile.py"]
PACKAGES = ["gibbsite_hw", "gibbsite_models", "gibbsite_sim", "gibbsite"]
# these need nothing but the host API, so they also run where only the wheel is installed
ON_THE_WHEEL = ["tests/unit/test_cli.py", "tests/unit/test_progress.py"]
FIGURES = "docs/figures/nightly"
HARMONOGRAM = ROOT / "examples" / "harmonogram.txt"


@nox.session
def solve(session: nox.Session) -> None:
    """The main job: a sentence in, an answer out; arguments after `--` go to `gibbsite solve`."""
    arguments = list(session.posargs)
    if not _texts(arguments):
        arguments.append(HARMONOGRAM.read_text(encoding="utf-8"))
    _run(session, prepare("solve", checkout=True), "gibbsite", "solve", *arguments)


@nox.session
def digits(session: nox.Session) -> None:
    """Train on handwritten digits, deploy, let the RTL draw some; arguments go to the program."""
    home = prepare("solve", checkout=True)
    _run(session, home, "python", "tools/digits.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    home = prepare("dev", checkout=True)
    _run(session, home, "ruff", "check", *CODE)
    _run(session, home, "ruff", "format", "--check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """Strict mypy on the four packages and the tools."""
    home = prepare("dev", checkout=True)
    _run(session, home, "mypy", *(word for name in PACKAGES for word in ("-p", name)))
    _run(session, home, "mypy", *(str(path) for path in sorted((ROOT / "tools").rglob("*.py"))))


@nox.session
def unit(session: nox.Session) -> None:
    """Is one step right?"""
    _pytest(session, "tests/unit")


@nox.session
def stats(session: nox.Session) -> None:
    """Is the distribution right?"""
    _pytest(session, "tests/stats")


@nox.session
def cosim(session: nox.Session) -> None:
    """Is the hardware the golden model?"""
    _pytest(session, "tests/cosim")


@nox.session
def formal(session: nox.Session) -> None:
    """Are the contracts kept?"""
    _pytest(session, "tests/formal")


@nox.session
def wheel(session: nox.Session) -> None:
    """A small part of the tests on the built wheel alone, where no HDL tool is installed."""
    _wheel(session, None)


@nox.session
def nightly(session: nox.Session) -> None:
    """The long forms of the checks; nothing waits for them.

    They write figures, with the hash of the commit that they ran on, to docs/figures/nightly. If
    all passed and NIGHTLY_COMMIT=1, these are committed; else the command that does it is printed.
    """
    home = prepare("dev", checkout=True)
    _run(session, home, "pytest", "-m", "nightly", "-rP", *(session.posargs or ["tests"]))
    add = ["git", "add", FIGURES]
    commit = ["git", "commit", "-m", "docs.figures: what a night found", "--", FIGURES]
    if os.environ.get("NIGHTLY_COMMIT") == "1":
        session.run(*add, external=True)
        # 1: nothing changed, because what was asked for writes no figures
        session.run(*commit, external=True, success_codes=[0, 1])
    else:
        print(f"\nto keep the figures: {shlex.join(add)} && {shlex.join(commit)}")


@nox.session
def battery(session: nox.Session) -> None:
    """The noise sources through dieharder, a package of Debian's; `-- --short` for a taste."""
    if shutil.which("dieharder") is None:
        session.error("dieharder is not on PATH: apt-get install dieharder  (Debian, Ubuntu)")
    home = prepare("dev", checkout=True)
    _run(session, home, "python", "tools/noise_battery.py", *session.posargs)


@nox.session
def spice(session: nox.Session) -> None:
    """The analog circuit against ngspice, a package of Debian's."""
    if shutil.which("ngspice") is None:
        session.error("ngspice is not on PATH: apt-get install ngspice  (Debian, Ubuntu)")
    home = prepare("dev", checkout=True)
    wanted = session.posargs or ["tests/stats/test_spice.py"]
    _run(session, home, "pytest", "-m", "nightly", "--durations=4", *wanted)


@nox.session
def bitstream(session: nox.Session) -> None:
    """The bitstream of a board, made from nothing else; `-- --help` lists boards and builds."""
    home = prepare("silicon", checkout=True)
    _run(session, home, "python", "tools/bitstream.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All parts, each with its seconds, whatever fails; the last line counts all tests."""
    tally = Tally()
    # registered first, so that it runs last: nox still logs its verdict after the session's end
    atexit.register(tally.closing_line)
    parts: list[tuple[str, Callable[[Path], None]]] = [
        ("lint", lambda _: lint(session)),
        ("types", lambda _: types(session)),
        *((kind, _part(session, kind)) for kind in ("unit", "stats", "cosim", "formal")),
        ("wheel", lambda report: _wheel(session, report)),
    ]
    began = time.monotonic()
    prepare("dev", checkout=True)
    tally.seconds["set-up"] = time.monotonic() - began
    with tempfile.TemporaryDirectory() as folder:
        for name, part in parts:
            tally.take(name, part, Path(folder) / f"{name}.xml")
    print("\nseconds of each part")
    for name, seconds in tally.seconds.items():
        print(f"  {name:8s} {seconds:7.1f}{'  FAILED' if name in tally.broken else ''}")
    print(f"  {'all':8s} {sum(tally.seconds.values()):7.1f}", flush=True)
    if tally.broken:
        session.error(f"failed: {', '.join(tally.broken)}")


@nox.session(venv_backend="virtualenv")
def lock(session: nox.Session) -> None:
    """Write the lock files anew from pyproject.toml; commit what changed."""
    session.install("uv==0.13.9")
    common = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-config"]
    common += ["--default-index", "https://pypi.org/simple", "--no-emit-index-url", "--quiet"]
    common += ["--custom-compile-command", "./tools/nox -s lock", *session.posargs]
    for name, wanted in {
        "dev": [
            *(f"--extra={extra}" for extra in ("silicon", "uart", "bench", "digits")),
            "--group",
            "dev",
            "pyproject.toml",
        ],
        "solve": [
            "--extra",
            "sim",
            "--extra",
            "digits",
            "--group",
            "build",
            "pyproject.toml",
            "-c",
            "locks/dev.txt",
        ],
        "silicon": [
            "--extra",
            "silicon",
            "--group",
            "build",
            "pyproject.toml",
            "-c",
            "locks/dev.txt",
        ],
        "host": ["--group", "wheel", "pyproject.toml", "-c", "locks/dev.txt"],
        "nox": ["--group", "nox"],
    }.items():
        session.run("uv", "pip", "compile", *common, *wanted, "-o", f"locks/{name}.txt")


@dataclass
class Tally:
    """What the parts of `tests` took and found."""

    passed: int = 0
    failed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def take(self, name: str, part: Callable[[Path], None], report: Path) -> None:
        """Run one part; a failure is noted, and the next part still runs."""
        print(f"\n===== {name} =====", flush=True)
        began = time.monotonic()
        try:
            part(report)
            good = True
        except nox.command.CommandFailed:
            good = False
            self.broken.append(name)
        self.seconds[name] = time.monotonic() - began
        passed, failed = _counts(report)
        if not report.exists():  # lint and types are one check each
            passed = int(good)
        # a part that broke without a failing test (a crash, a usage error) still counts as one
        self.passed += passed
        self.failed += failed or int(not good)

    def closing_line(self) -> None:
        """Print the one line that a machine reads, alone and last."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)


def _texts(arguments: list[str]) -> list[str]:
    """Return the arguments that are no options and no values of options."""
    texts, value = [], False
    for word in arguments:
        if value:
            value = False
        elif word.startswith("--"):
            value = "=" not in word and word not in {"--json", "--help"}
        else:
            texts.append(word)
    return texts if "--help" not in arguments else ["--help"]


def _run(session: nox.Session, home: Path, program: str, *arguments: str) -> None:
    """Run a program of an environment; its stdout and stderr stay apart."""
    path = os.pathsep.join((str(executables(home)), os.environ.get("PATH", os.defpath)))
    session.run(
        str(executables(home) / program),
        *arguments,
        external=True,
        stderr=None,
        env={"PATH": path, "VIRTUAL_ENV": str(home)},
    )


def _pytest(session: nox.Session, folder: str, *options: str) -> None:
    home = prepare("dev", checkout=True)
    if not session.posargs and folder != "tests/formal":  # the proofs share the cores themselves
        # a module's tests stay together, because they share what it builds and opens
        options += ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadscope")
    _run(session, home, "pytest", "--durations=12", *options, *(session.posargs or [folder]))


def _part(session: nox.Session, kind: str) -> Callable[[Path], None]:
    return lambda report: _pytest(session, f"tests/{kind}", f"--junitxml={report}")


def _wheel(session: nox.Session, report: Path | None) -> None:
    dev = prepare("dev", checkout=True)
    host = prepare("host", checkout=False)
    with tempfile.TemporaryDirectory() as folder:
        _run(session, dev, "python", "-m", "build", "--no-isolation", "--wheel", "-o", folder)
        built = next(Path(folder).glob("*.whl"))
        # its dependencies are there from the lock file; the wheel is replaced whole each time
        options = ["--quiet", "--no-deps", "--force-reinstall", "--disable-pip-version-check"]
        _run(session, host, "python", "-m", "pip", "install", *options, str(built))
    options = [f"--junitxml={report}"] if report else []
    _run(session, host, "pytest", *options, *ON_THE_WHEEL)


def _counts(report: Path) -> tuple[int, int]:
    """Read (passed, failed) from a JUnit report; a skipped test is neither."""
    if not report.exists():
        return 0, 0
    passed = failed = 0
    for suite in ET.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
        failed += bad
    return passed, failed
