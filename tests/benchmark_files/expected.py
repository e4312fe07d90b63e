"""What a fixture holds, written down by hand, and the check that a benchmark is that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from data_cache.samples import Benchmark


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The content of one fixture; the mappings have a sample's id as their key."""

    rows: int
    """Rows in the file, with those that are bad or left out."""
    samples: int
    questions: int
    """Different groups."""
    options: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, int]
    """Index into the options."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Group by sample; empty where a test compares only their number."""
    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of drawn images (`tests.benchmark_files.drawn`), in their order."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Question by sample, for some or all of them."""
    subsets: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Entries that a sample's meta must have, among others."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason -> rows left out on purpose."""


def assert_as_expected(
    benchmark: Benchmark, expected: Expected, drawn: Callable[[str], bytes]
) -> None:
    """Compare everything that was written down; `drawn` returns an image's bytes by its name."""
    samples = {sample.id: sample for sample in benchmark.samples}
    assert benchmark.rows == expected.rows
    assert not benchmark.bad_rows
    assert dict(benchmark.left_out) == dict(expected.left_out)
    assert len(samples) == expected.samples
    assert len({sample.group_id for sample in samples.values()}) == expected.questions
    assert {name: sample.options for name, sample in samples.items()} == dict(expected.options)
    assert {name: sample.answer for name, sample in samples.items()} == dict(expected.answers)
    if expected.groups:
        assert {name: s.group_id for name, s in samples.items()} == dict(expected.groups)
    if expected.subsets:
        assert {name: s.subset for name, s in samples.items()} == dict(expected.subsets)
    for name, text in expected.texts.items():
        assert samples[name].question == text
    for name, entries in expected.meta.items():
        assert {key: samples[name].meta.get(key) for key in entries} == dict(entries)
    if expected.images:
        assert set(expected.images) == set(samples)
    for name, images in expected.images.items():
        found = [image.read() for image in samples[name].images]
        assert found == [drawn(image) for image in images], f"images of {name}"
