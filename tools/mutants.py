"""Mutants of the RTL: faults planted one at a time, each killed by a test that is named.

    python tools/mutants.py [NAME ...]     plant each one, run its test, write the record

A mutant is a replacement of text that occurs exactly once in one file of `hw/gibbsite_hw`. It is
planted in a copy of `hw/`, which stands before the real one on PYTHONPATH; its test must then fail,
while the same test passes on the RTL as it is. The record is `docs/mutants.json`, the table
`docs/mutants.md`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutants_blocks import BLOCK_MUTANTS
from mutants_langevin import LANGEVIN_MUTANTS
from mutants_table import MUTANTS as SHARED_MUTANTS
from mutants_table import Mutant

__all__ = ["MUTANTS", "Mutant", "by_name", "kill", "planted_module", "planted_text"]

MUTANTS = (*SHARED_MUTANTS, *LANGEVIN_MUTANTS, *BLOCK_MUTANTS)
ROOT = Path(__file__).resolve().parent.parent
RTL = ROOT / "hw" / "gibbsite_hw"
RECORD, TABLE = ROOT / "docs" / "mutants.json", ROOT / "docs" / "mutants.md"


def by_name(name: str) -> Mutant:
    """The mutant of this name."""
    return next(mutant for mutant in MUTANTS if mutant.name == name)


def planted_text(mutant: Mutant) -> str:
    """The file with the fault in it. Raises ValueError unless its text occurs exactly once."""
    text = (RTL / mutant.file).read_text(encoding="utf-8")
    found = text.count(mutant.old)
    if found != 1:
        raise ValueError(f"{mutant.name}: its text occurs {found} times in {mutant.file}, not once")
    return text.replace(mutant.old, mutant.new)


def planted_module(mutant: Mutant) -> ModuleType:
    """The faulty file as a module beside the real one, which stays as it is."""
    name = f"gibbsite_hw.{mutant.file.removesuffix('.py')}"
    module = ModuleType(name)
    exec(compile(planted_text(mutant), f"<{mutant.name}>", "exec"), module.__dict__)
    return module


def kill(mutant: Mutant, folder: Path) -> tuple[bool, float, str]:
    """Plant it in a copy and run its test: whether that failed, seconds, and its last words."""
    copy = folder / mutant.name
    shutil.copytree(ROOT / "hw", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "gibbsite_hw" / mutant.file).write_text(planted_text(mutant), encoding="utf-8")
    code, seconds, said = _pytest(mutant.killer, copy)
    shutil.rmtree(copy)
    # 1: tests were run and failed; anything else is no kill (2: broken off, 4: no such test)
    return code == 1 and " error" not in said.splitlines()[-1], seconds, said


def _pytest(test: str, hardware: Path) -> tuple[int, float, str]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-m", "", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(hardware), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, time.monotonic() - began, done.stdout.strip()


def _reason(said: str) -> str:
    lines = [line for line in said.splitlines() if line.startswith("E  ")]
    return lines[0].removeprefix("E").strip()[:160] if lines else ""


def main(names: list[str]) -> int:
    """Run the campaign; 0 if every named test passes on the real RTL and fails on its mutants.

    With names only these are run; the rest of the record stays.
    """
    chosen = [by_name(name) for name in names] or list(MUTANTS)
    head = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(head, cwd=ROOT, capture_output=True, text=True, check=True)
    commit = done.stdout.strip()
    rows = {}
    if RECORD.exists():
        known = {mutant.name for mutant in MUTANTS}
        old = json.loads(RECORD.read_text(encoding="utf-8"))["rows"]
        rows = {row["mutant"]: row for row in old if row["mutant"] in known}
    sound: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as folder:
        for mutant in chosen:
            if mutant.killer not in sound:
                code, seconds, said = _pytest(mutant.killer, ROOT / "hw")
                sound[mutant.killer] = code == 0
                verdict = "passes" if code == 0 else f"FAILS\n{said[-2000:]}\n"
                print(f"{verdict} {seconds:6.1f} s  {mutant.killer}", flush=True)
            failed, seconds, said = kill(mutant, Path(folder))
            killed = failed and sound[mutant.killer]
            verdict = "killed" if killed else f"LIVES\n{said[-1500:]}\n"
            print(f"{verdict} {seconds:6.1f} s  {mutant.name}", flush=True)
            rows[mutant.name] = {
                "mutant": mutant.name,
                "file": mutant.file,
                "breaks": mutant.breaks,
                "killer": mutant.killer,
                "killed": killed,
                "seconds": round(seconds, 1),
                "first_failure": _reason(said),
                "commit": commit,
            }
            _write([rows[m.name] for m in MUTANTS if m.name in rows])
    alive = [row["mutant"] for row in rows.values() if not row["killed"]]
    print(f"{len(rows) - len(alive)} of {len(rows)} killed; alive: {', '.join(alive) or 'none'}")
    return 1 if alive or not all(sound.values()) else 0


def _write(rows: list[dict[str, Any]]) -> None:
    """The record for machines and the table for people."""
    killed = sum(row["killed"] for row in rows)
    record = {"mutants": len(rows), "killed": killed, "rows": rows}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    commits = ", ".join(sorted({f"`{row['commit'][:12]}`" for row in rows}))
    lines = [
        "# Mutants of the RTL",
        "",
        f"{killed} of {len(rows)} killed, at {commits}. Written by `python tools/mutants.py`; the",
        "faults themselves are in `tools/mutants_table.py`, `mutants_langevin.py` and",
        "`mutants_blocks.py` beside it.",
        "",
        "| mutant | file | what it breaks | killed by |",
        "|---|---|---|---|",
    ]
    for row in rows:
        verdict = f"`{row['killer']}`" if row["killed"] else "**lives**"
        lines.append(f"| {row['mutant']} | `{row['file']}` | {row['breaks']} | {verdict} |")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
