"""What a benchmark holds, in counts: enough to describe it without reading it again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from data_cache.errors import CacheError
from data_cache.samples import SPLITS, Benchmark, RowProblem, letter_of

LISTED_BAD_ROWS = 200
"""An overview names so many of the bad rows; it counts all."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Counts of one benchmark as it was read."""

    key: str
    """Hash of its content."""
    rows: int | None
    """Rows that were read; None where it has none."""
    samples: int
    questions: int
    """Groups that its samples belong to."""
    splits: Mapping[str, int]
    """Samples by split."""
    subsets: Mapping[str, int]
    """Samples by subset, in order of name."""
    options: Mapping[str, int]
    """Samples by number of options."""
    answers: Mapping[str, int]
    """Samples by the letter of the right option."""
    images: Mapping[str, int]
    """Samples by number of images."""
    left_out: Mapping[str, int]
    """Rows left out on purpose, by reason."""
    bad_row_count: int
    bad_rows: tuple[RowProblem, ...]
    """The first of them."""

    @property
    def lacks_files(self) -> bool:
        """Whether rows are bad for what lies beside the table: that may have come since."""
        words = ("image", "video", "figure")
        return any(
            word in f"{problem.column} {problem.reason}".lower()
            for problem in self.bad_rows
            for word in words
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> "Overview":
        """Read an overview back.

        Raises
        ------
        CacheError
            If it was written by another version.
        """
        try:
            values = dict(content)
            values["bad_rows"] = tuple(RowProblem(**problem) for problem in values["bad_rows"])
            return Overview(**values)
        except (TypeError, KeyError) as error:
            raise CacheError(f"an overview of a benchmark cannot be read: {error}") from error


def overview_of(benchmark: Benchmark) -> Overview:
    """Count what a benchmark holds."""
    samples = benchmark.samples
    splits = Counter(sample.split for sample in samples)
    answers = Counter(sample.answer for sample in samples)
    return Overview(
        key=benchmark.key,
        rows=benchmark.rows,
        samples=len(samples),
        questions=benchmark.questions,
        splits={split: splits[split] for split in SPLITS},
        subsets=dict(sorted(Counter(sample.subset for sample in samples).items())),
        options=_by_number(len(sample.options) for sample in samples),
        answers={letter_of(answer): answers[answer] for answer in sorted(answers)},
        images=_by_number(len(sample.images) for sample in samples),
        left_out=dict(benchmark.left_out),
        bad_row_count=len(benchmark.bad_rows),
        bad_rows=benchmark.bad_rows[:LISTED_BAD_ROWS],
    )


def _by_number(numbers: Iterable[int]) -> dict[str, int]:
    return {str(number): count for number, count in sorted(Counter(numbers).items())}
