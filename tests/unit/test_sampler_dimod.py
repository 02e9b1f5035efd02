"""dimod's own tests of samplers, on the golden device with a short schedule."""

import atexit
import unittest
from typing import Any

import dimod

from gibbsite.devices import open as open_device
from gibbsite.sampler import Sampler

DEVICE = open_device("golden:?like=small")
atexit.register(DEVICE.close)


class GibbsiteSampler(Sampler):
    """The sampler without arguments that dimod's loader wants; 30 sweeps unless told otherwise."""

    def __init__(self) -> None:
        super().__init__(DEVICE)

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        return super().sample(bqm, **{"num_sweeps": 30, **parameters})


@dimod.testing.load_sampler_bqm_tests(GibbsiteSampler)
class TestSampler(unittest.TestCase):
    def test_api(self) -> None:
        dimod.testing.assert_sampler_api(GibbsiteSampler())
