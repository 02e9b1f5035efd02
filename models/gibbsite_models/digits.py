r"""Handwritten digits: scikit-learn's `load_digits`, 8 x 8 pixels of grey levels 0 to 16.

Its 1,797 images come with the package, so nothing is fetched. They are split once into training and
held-out images, each class in proportion: what is trained, the machine or the classifier that
judges it, sees the training images only.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError, ToolMissing

__all__ = ["LEVELS", "SHAPE", "Digits", "load_digits"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

SHAPE = (8, 8)
LEVELS = 16.0
HELD_OUT = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Training and held-out images ``[m, 64]`` in grey levels, and their labels ``[m]``."""

    train: Array
    train_labels: Integers
    held_out: Array
    held_out_labels: Integers

    def of(self, classes: Sequence[int]) -> "Digits":
        """The images of some classes only.

        Raises: ProgramError for classes that are no digits, or none.
        """
        wrong = [c for c in classes if not 0 <= c <= 9]
        if wrong or not classes or len(set(classes)) != len(classes):
            raise ProgramError(
                f"classes must be different digits 0 to 9, at least one, and are {list(classes)}"
            )
        a, b = np.isin(self.train_labels, classes), np.isin(self.held_out_labels, classes)
        return Digits(
            self.train[a], self.train_labels[a], self.held_out[b], self.held_out_labels[b]
        )


def load_digits(split: int = 1, held_out: float = HELD_OUT) -> Digits:
    """All ten classes; ``split`` seeds the choice of held-out images, a share of each class.

    Raises: ToolMissing without scikit-learn, ProgramError for a share outside (0, 1).
    """
    if not 0 < held_out < 1:
        raise ProgramError(f"the held-out share must be in (0, 1) and is {held_out}")
    try:
        with warnings.catch_warnings():
            # scikit-learn's dependencies announce their own changes while they are imported
            warnings.simplefilter("ignore")
            from sklearn import datasets
    except ImportError as error:
        raise ToolMissing(
            "the digits need scikit-learn, which is not installed; "
            "install it with: pip install 'gibbsite[digits]'"
        ) from error
    x, y = datasets.load_digits(return_X_y=True)
    images, labels = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.int64)
    random = np.random.default_rng(split)
    kept, out = [], []
    for c in range(10):
        own = random.permutation(np.flatnonzero(labels == c))
        cut = round(held_out * len(own))
        out.append(own[:cut])
        kept.append(own[cut:])
    a, b = np.sort(np.concatenate(kept)), np.sort(np.concatenate(out))
    return Digits(images[a], labels[a], images[b], labels[b])
