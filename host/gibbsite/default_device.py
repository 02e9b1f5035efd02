"""The device that is opened where none is named: the compiled emulator, golden's bits at speed.

`sim:` is the proof, `golden:` the reference; the same request and seed give the same samples there.
"""

from typing import Final

__all__ = ["DEFAULT_DEVICE", "DEFAULT_LANGEVIN_DEVICE"]

DEFAULT_DEVICE: Final = "fast:"

DEFAULT_LANGEVIN_DEVICE: Final = "fast:?engines=langevin"
"""The same for continuous states, whose engine alone is then built."""
