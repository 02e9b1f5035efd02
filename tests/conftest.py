"""What all tests share: where the data lies that the project reads in tests and never ships."""

import signal
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Take Ctrl-C even where a shell started the tests in the background, which ignores it.

    Tests that interrupt a run, and the programs that they start, would wait for ever otherwise.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this repository."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The `shared` folder beside the checkout: graphs, instances, example requests."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.fail(
            f"the tests read {folder}, which is not there: put the data folder beside the checkout"
        )
    return folder
