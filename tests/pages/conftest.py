"""What Streamlit would do anew for every page that a test opens."""

from functools import cache

import pytest


@pytest.fixture(scope="session", autouse=True)
def installed_packages_are_read_once():
    """Keep what Streamlit reads of every installed package whenever an app starts: 0.3 s each."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        read_once = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", read_once)
        yield
