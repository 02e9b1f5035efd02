"""Hands over to nox, from an environment that it makes first where there is none.

`tools/nox` calls this with a CPython that is new enough; standard library only.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from environments import EnvironmentFailed, executables, prepare


def main(arguments: list[str]) -> NoReturn:
    """Replace this process by `nox` with `arguments`; exit code 4 where that cannot be."""
    try:
        nox = executables(prepare("nox", checkout=False)) / "nox"
    except (EnvironmentFailed, OSError) as failure:
        print(f"gibbsite: nox has no environment: {failure}", file=sys.stderr)
        sys.exit(4)
    except KeyboardInterrupt:
        sys.exit(130)
    os.execv(nox, [str(nox), *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
