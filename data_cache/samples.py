"""What a multiple-choice sample is, and what makes two samples the same."""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from data_cache.errors import BenchmarkError
from data_cache.images import ImageFile, MediaFile

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter_of(option: int) -> str:
    """Return how people call an option: by its letter, or by its number where letters end.

    >>> letter_of(0), letter_of(25), letter_of(26)
    ('A', 'Z', '27')
    """
    return LETTERS[option] if option < len(LETTERS) else str(option + 1)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One multiple-choice question about zero or more images."""

    id: str
    """Unique within the benchmark."""
    group_id: str
    """Samples of one group (same image, same base question) stand on one side of the split."""
    question: str
    options: tuple[str, ...]
    """Two or more answers, in the order of their letters."""
    answer: int
    """Index into `options`."""
    images: tuple[ImageFile, ...] = ()
    """What a model that looks at pictures is shown; of a video, some of its frames."""
    video: MediaFile | None = None
    audio: MediaFile | None = None
    subset: str = "all"
    split: Split = "test"
    system: str | None = None
    """A system message; it is never masked."""
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Anything else that is worth showing; JSON values."""

    def __post_init__(self) -> None:
        """Check what every reader relies on."""
        if len(self.options) < 2:
            raise BenchmarkError(
                f"sample {self.id!r} has {len(self.options)} options; 2 or more are needed"
            )
        if not 0 <= self.answer < len(self.options):
            raise BenchmarkError(
                f"sample {self.id!r} names answer {self.answer}, "
                f"but has options 0 to {len(self.options) - 1}"
            )
        if self.split not in SPLITS:
            raise BenchmarkError(
                f"sample {self.id!r} has split {self.split!r}; it must be 'train' or 'test'"
            )
        # "yes" and "no" of 50,000 questions are two texts, and so are the names of subsets.
        object.__setattr__(self, "options", tuple(map(_once, self.options)))
        object.__setattr__(self, "group_id", _once(self.group_id))
        object.__setattr__(self, "subset", _once(self.subset))

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the options: A, B, ...; fewer than options where these are too many."""
        return tuple(LETTERS[: len(self.options)])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything the model may see and everything a result depends on."""
        content: dict[str, Any] = {
            "id": self.id,
            "group_id": self.group_id,
            "question": self.question,
            "options": self.options,
            "answer": self.answer,
            "images": [image.digest for image in self.images],
            "subset": self.subset,
            "split": self.split,
            "system": self.system,
        }
        for name, media in (("video", self.video), ("audio", self.audio)):
            if media is not None:
                content[name] = media.digest
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _once(text: str) -> str:
    """Return an equal text that all who hold it share."""
    return sys.intern(text) if type(text) is str else text


@dataclass(frozen=True, kw_only=True)
class RowProblem:
    """Why a row of a benchmark's files is no sample."""

    file: str
    row: int
    """Counted from 1, without the header."""
    column: str
    """Empty where the whole row is meant."""
    reason: str

    def __str__(self) -> str:
        """Return one line for a person."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}, row {self.row}{column}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A named, ordered collection of samples."""

    name: str
    samples: tuple[Sample, ...]
    """In the one fixed order of `data_cache.order`; blocks and `--limit` refer to it."""
    description: str = ""
    rows: int | None = None
    """Rows that were read, the bad ones and those left out among them; None where it has none."""
    bad_rows: tuple[RowProblem, ...] = ()
    """Rows that are no samples, each with the reason."""
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many rows were left out on purpose, by reason."""
    origin: str = ""
    """Where its files were found."""
    circular: bool = False
    """Whether a group is one question with its options in several orders (CircularEval)."""

    def __post_init__(self) -> None:
        """Refuse an empty benchmark and repeated ids."""
        if not self.samples:
            raise BenchmarkError(f"benchmark {self.name!r} has no samples")
        seen: set[str] = set()
        for sample in self.samples:
            if sample.id in seen:
                raise BenchmarkError(
                    f"benchmark {self.name!r} has two samples with the id {sample.id!r}"
                )
            seen.add(sample.id)

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits that change with any sample or their order."""
        digest = hashlib.sha256()
        for sample in self.samples:
            digest.update(sample.digest.encode())
        return digest.hexdigest()[:16]

    @property
    def questions(self) -> int:
        """How many groups its samples belong to."""
        return len({sample.group_id for sample in self.samples})

    @property
    def bad_share(self) -> float:
        """Share of bad rows among all rows that should be samples, 0 to 1."""
        bad = len(self.bad_rows)
        return bad / (bad + len(self.samples))

    @property
    def subsets(self) -> tuple[str, ...]:
        """The subsets, in order of name."""
        return tuple(sorted({sample.subset for sample in self.samples}))

    def select(
        self, *, subset: str | None = None, split: str | None = None, limit: int | None = None
    ) -> tuple[Sample, ...]:
        """Return the first `limit` samples of a subset and a split, in the fixed order.

        Raises
        ------
        BenchmarkError
            If there is no such subset, or nothing is left.
        """
        if subset is not None and subset not in self.subsets:
            raise BenchmarkError(
                f"benchmark {self.name!r} has no subset {subset!r}; "
                f"it has {', '.join(self.subsets)}"
            )
        if limit is not None and limit < 1:
            raise BenchmarkError(f"a limit of {limit} leaves no samples; give 1 or more")
        chosen = [
            sample
            for sample in self.samples
            if (subset is None or sample.subset == subset)
            and (split in (None, "all") or sample.split == split)
        ]
        if not chosen:
            raise BenchmarkError(f"benchmark {self.name!r} has no samples in split {split!r}")
        return tuple(chosen[:limit])


def digest_of_ids(ids: Iterable[str]) -> str:
    """SHA-256 of a set of sample ids, whatever their order."""
    return hashlib.sha256(json.dumps(sorted(ids)).encode()).hexdigest()
