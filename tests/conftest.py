"""Which tests run by default, and the checks that every test runs under.

A marker of the table below is off unless its option is given; the skip names that option.
``REQUIRE_ALL=1`` makes a missing package or browser a failure instead of a skip.
"""

from __future__ import annotations

import importlib.util
import os

import pytest

OPTIONAL_MARKERS = ("slow", "gpu", "network", "oracle", "browser")

if importlib.util.find_spec("beartype") is not None:
    # Array shapes and types of pid_core are checked at run time. Must come before its first import.
    import jaxtyping

    checked = jaxtyping.jaxtyped

    def checked_once(*, typechecker: object):
        """Leave functions within functions out: they are made, and would be prepared, at each call.

        That took two thirds of an estimate, for the sake of a solver's innermost closures.
        """
        check = checked(typechecker=typechecker)
        return lambda made: made if "<locals>" in made.__qualname__ else check(made)

    jaxtyping.jaxtyped = checked_once
    jaxtyping.install_import_hook("pid_core", "beartype.beartype")

if importlib.util.find_spec("hypothesis") is not None:
    from hypothesis import settings

    settings.register_profile("fast", max_examples=20, deadline=None)
    settings.register_profile("deep", max_examples=500, deadline=None)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pidscope", "PIDscope")
    for marker in OPTIONAL_MARKERS:
        group.addoption(
            f"--run-{marker}", action="store_true", help=f"run the tests marked {marker}"
        )
    group.addoption(
        "--save-pictures",
        action="store_true",
        help="with --run-browser: save the pictures of docs/images again",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Libraries read these when first imported, so they are set before the tests are collected.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if not config.getoption("--run-network"):
        os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    off = [marker for marker in OPTIONAL_MARKERS if not config.getoption(f"--run-{marker}")]
    for item in items:
        for marker in off:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"needs --run-{marker}"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("REQUIRE_ALL") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "needs --run-" not in reason:
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 allows no skip, and this one said: {reason}"
