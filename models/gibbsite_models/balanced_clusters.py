r"""Clusters of equal size, and codes of images from them: k-means with capacities.

    minimise   sum_m |x_m - mean(code of m)|^2     over assignments with equal shares

Every class has as many codes as the others, give or take one; within a class every code has as many
images, give or take one. Hidden codes that are drawn with equal probability then draw classes and
clusters nearly as often as the data hold them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["arranged", "balanced_clusters", "codes_of_images"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDS = 50
ARRANGEMENTS = 4


def balanced_clusters(x: Array, clusters: int, seed: int, starts: int = 4) -> Integers:
    """The cluster of each of ``x[m, n]``, sizes equal to within one; the best of some starts."""
    random = np.random.default_rng([seed, clusters, len(x)])
    sizes = [len(x) // clusters + (k < len(x) % clusters) for k in range(clusters)]
    seats = np.repeat(np.arange(clusters), sizes)
    best, least = np.zeros(len(x), dtype=np.int64), np.inf
    for _ in range(starts):
        means = x[random.permutation(len(x))[:clusters]]
        label = best
        for _ in range(ROUNDS):
            far = ((x[:, None, :] - means[None]) ** 2).sum(axis=2)
            rows, columns = linear_sum_assignment(far[:, seats])
            label = np.empty(len(x), dtype=np.int64)
            label[rows] = seats[columns]
            new = np.stack([x[label == k].mean(axis=0) for k in range(clusters)])
            if np.allclose(new, means, rtol=0, atol=1e-12):
                break
            means = new
        cost = float(((x - means[label]) ** 2).sum())
        if cost < least:
            best, least = label, cost
    return best


def codes_of_images(
    x: Array, labels: Integers, classes: Sequence[int], codes: int, seed: int
) -> tuple[Integers, Integers]:
    """The code of each image, and the class of each code; larger classes get the extra codes.

    ``codes`` is a power of 2; `arranged` says which code is which cluster.

    Raises: ProgramError for a class with fewer than two images a code.
    """
    counts = {c: int((labels == c).sum()) for c in classes}
    shares = dict.fromkeys(classes, codes // len(classes))
    for c in sorted(classes, key=lambda c: (-counts[c], c))[: codes % len(classes)]:
        shares[c] += 1
    result, used = np.zeros(len(x), dtype=np.int64), 0
    class_of_cluster = np.zeros(codes, dtype=np.int64)
    for c in classes:
        if counts[c] < 2 * shares[c]:
            raise ProgramError(
                f"class {c} needs at least {2 * shares[c]} images for its {shares[c]} codes and "
                f"has {counts[c]}; give more images or take fewer bits"
            )
        result[labels == c] = used + balanced_clusters(x[labels == c], shares[c], seed)
        class_of_cluster[used : used + shares[c]] = c
        used += shares[c]
    code = arranged(np.stack([x[result == k].mean(axis=0) for k in range(codes)]), seed)
    class_of_code = np.zeros(codes, dtype=np.int64)
    class_of_code[code] = class_of_cluster
    return code[result], class_of_code


def arranged(means: Array, seed: int) -> Integers:
    """A code for each of 2^M clusters, such that codes one bit apart have means close together.

    A bit then stands for something that can be seen in an image, which lets clamped pixels choose
    it. Swaps of two codes, as long as the sum of squared distances over all edges of the hypercube
    falls.
    """
    count = len(means)
    far = ((means[:, None] - means[None]) ** 2).sum(axis=2)
    numbers = np.arange(count)
    apart = numbers[:, None] ^ numbers[None]
    edge = (apart > 0) & (apart & (apart - 1) == 0)
    random = np.random.default_rng([seed, count])
    best, least = numbers, np.inf
    for _ in range(ARRANGEMENTS):
        at, better = random.permutation(count), True
        cost = float(far[edge[np.ix_(at, at)]].sum())
        while better:
            better = False
            for i in range(count):
                for j in range(i):
                    at[[i, j]] = at[[j, i]]
                    new = float(far[edge[np.ix_(at, at)]].sum())
                    if new < cost - 1e-12:
                        cost, better = new, True
                    else:
                        at[[i, j]] = at[[j, i]]
        if cost < least:
            best, least = at, cost
    return best.astype(np.int64)
