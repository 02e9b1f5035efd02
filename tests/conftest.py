"""What all tests share: where the data lies that the project reads in tests and never ships."""

from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


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
