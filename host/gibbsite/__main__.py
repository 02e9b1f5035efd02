"""`python -m gibbsite` is the command `gibbsite`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; Ctrl-C while its modules are still being read is quiet, too."""
    try:
        from gibbsite.cli import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
