"""Time is counted once, wherever parts lie within parts."""

import time

import pytest

from model_runners.stopwatch import PARTS, Stopwatch


def test_what_is_within_a_part_is_not_counted_twice() -> None:
    watch = Stopwatch()
    with watch.part("statistics"):
        time.sleep(0.02)
        for _ in range(2):
            with watch.part("preprocessing"):
                time.sleep(0.03)
    seconds = watch.seconds()
    assert list(seconds) == ["statistics", "preprocessing"]
    assert 0.02 <= seconds["statistics"] < 0.06 <= seconds["preprocessing"]
    assert sum(seconds.values()) <= watch.wall


def test_a_part_that_failed_took_its_time_too() -> None:
    watch = Stopwatch()

    def fail() -> None:
        with watch.part("writing"):
            time.sleep(0.01)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    with watch.part("ingest"):
        pass
    assert watch.seconds()["writing"] >= 0.01
    assert watch.seconds()["ingest"] < 0.01


def test_parts_come_in_their_order_and_counts_add_up() -> None:
    watch = Stopwatch()
    for name in reversed([*PARTS]):
        watch.add(name, 1.0)
    watch.count("positions", 3)
    watch.count("positions", 4)
    assert list(watch.seconds()) == list(PARTS)
    assert watch.counts == {"positions": 7}
