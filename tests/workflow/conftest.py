"""The simulated day that the checkers look at, for the product to decide about again."""

from tests.checkers.conftest import audit, simulated

__all__ = ["audit", "simulated"]
