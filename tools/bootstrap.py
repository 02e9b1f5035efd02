"""Hands over to nox, from an environment that it makes first where there is none.

`tools/nox` calls this with a CPython that is new enough; standard library only.
"""

from __future__ import annotations

import os
import sys

from environments import EnvironmentFailed, executables, prepare


def main(arguments: list[str]) -> int:
    """Replace this process by `nox` with `arguments`; returns only on failure."""
    try:
        nox = executables(prepare("nox", checkout=False)) / "nox"
    except (EnvironmentFailed, OSError) as failure:
        print(f"gibbsite: nox has no environment: {failure}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        return 130
    os.execv(nox, [str(nox), *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
