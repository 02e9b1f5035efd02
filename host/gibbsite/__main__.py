"""`python -m gibbsite` is the command `gibbsite`."""

from gibbsite.cli import main

if __name__ == "__main__":
    main()
