"""Steps of a flow that are not made again while what they are made of stays the same.

A step leaves ``NAME.key`` beside its files: a digest of all that went in, and the seconds it took.
The digest is written last, so a flow that is killed makes the step it was in again, and no other.
"""

import hashlib
import json
from pathlib import Path

__all__ = ["digest", "done", "finished", "forget"]


def digest(*parts: str) -> str:
    """One digest of these texts, in this order; no text runs into the next."""
    found = hashlib.sha256()
    for part in parts:
        found.update(f"{len(part.encode())}:".encode() + part.encode())
    return found.hexdigest()


def finished(folder: Path, name: str, key: str, seconds: float) -> None:
    """Write down that a step was made from what has this digest."""
    part = folder / f"{name}.key.part"
    part.write_text(json.dumps({"key": key, "seconds": seconds}) + "\n", encoding="utf-8")
    part.replace(folder / f"{name}.key")


def done(folder: Path, name: str, key: str, *files: str) -> float | None:
    """The seconds that a step took, if it was made from this and its files are there."""
    path = folder / f"{name}.key"
    if not path.exists() or not all((folder / file).exists() for file in files):
        return None
    found = json.loads(path.read_text("utf-8"))
    return float(found["seconds"]) if found["key"] == key else None


def forget(folder: Path, name: str) -> None:
    """A step is about to be made again."""
    (folder / f"{name}.key").unlink(missing_ok=True)
