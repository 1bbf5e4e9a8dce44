"""Property tests take as long as the machine needs: how slow it is says nothing about the property.

Each tries 50 examples, so that all of them fit into the seconds that a unit run may take.
"""

import gc

from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from here on, but not among the thousands of tests that were collected."""
    gc.freeze()
    gc.enable()
