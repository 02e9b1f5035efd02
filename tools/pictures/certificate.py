"""Draw docs/pictures/certificate.png: a spin glass on an 8x8 torus, certified at beta 0.6.

    python tools/pictures/certificate.py [OUT.png]

The model, the seed and so the picture are the same every time.
"""

import sys
from pathlib import Path

import dimod
import numpy as np

from gibbsite.certificate_plot import draw
from gibbsite.certificate_report import show
from gibbsite.certify_command import certify_device

SIDE = 8


def glass() -> dimod.BinaryQuadraticModel:
    """Couplings +-1 on a torus and fields +-1/2."""
    random = np.random.default_rng(2)
    model = dimod.BinaryQuadraticModel("SPIN")
    sites = [(y, x) for y in range(SIDE) for x in range(SIDE)]
    model.add_linear_from((site, float(random.choice([-0.5, 0.5]))) for site in sites)
    for y, x in sites:
        for other in ((y, (x + 1) % SIDE), ((y + 1) % SIDE, x)):
            model.add_quadratic((y, x), other, float(random.choice([-1.0, 1.0])))
    return model


def main() -> None:
    """Draw, certify, show the table and write the picture."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures/certificate.png")
    found = certify_device(glass(), 0.6, "fast:", reads=48_000, thin=4, seed=7)
    show(found.document)
    draw(found.document, found.energies, out)


if __name__ == "__main__":
    main()
