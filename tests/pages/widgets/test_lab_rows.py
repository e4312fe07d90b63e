from collections.abc import Callable
from threading import Event

import pytest

from data_cache.errors import CacheError
from model_runners.audit import AuditRow, AuditTask
from pages.widgets.lab_rows import KEPT, Workbench

ROW = AuditRow(estimator="certified", label="certified", atoms=None)


def task(key: str, work: Callable[[], AuditRow] = lambda: ROW) -> AuditTask:
    return AuditTask(key=key, label=key, work=work)


def test_a_row_is_kept_once_it_is_finished() -> None:
    bench = Workbench()
    assert bench.row("a") is None
    assert bench.start(task("a")).result(timeout=10) == ROW
    assert bench.row("a") == ROW


def test_who_asks_for_the_same_row_joins_the_work_that_is_going_on() -> None:
    bench, go, counted = Workbench(), Event(), []

    def slow() -> AuditRow:
        go.wait(10)
        counted.append(1)
        return ROW

    first, second = bench.start(task("a", slow)), bench.start(task("a", slow))
    assert first is second
    go.set()
    first.result(timeout=10)
    assert len(counted) == 1


def test_one_row_is_worked_on_at_a_time() -> None:
    bench, go, begun = Workbench(), Event(), Event()

    def slow() -> AuditRow:
        go.wait(10)
        return ROW

    def other() -> AuditRow:
        begun.set()
        return ROW

    bench.start(task("a", slow))
    waiting = bench.start(task("b", other))
    assert not begun.wait(0.1)
    go.set()
    waiting.result(timeout=10)
    assert begun.is_set()


def test_a_failure_is_told_and_can_be_tried_again() -> None:
    bench = Workbench()

    def fail() -> AuditRow:
        raise CacheError("the cache is gone")

    with pytest.raises(CacheError, match="is gone"):
        bench.start(task("a", fail)).result(timeout=10)
    assert bench.row("a") is None
    assert bench.start(task("a")).result(timeout=10) == ROW


def test_the_oldest_rows_are_forgotten_first() -> None:
    bench = Workbench()
    for number in range(KEPT + 1):
        last = bench.start(task(str(number)))
    last.result(timeout=30)
    assert bench.row("0") is None
    assert bench.row("1") == ROW
