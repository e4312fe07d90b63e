"""Which samples imported answers belong to: those of a benchmark, or the file's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_cache.errors import BenchmarkError
from data_cache.formats.beside import find_beside
from data_cache.formats.embedded import decode_base64
from data_cache.formats.rows import BadRow, quoted
from data_cache.image_store import ImageStore
from data_cache.images import ImageFile
from data_cache.imported.answers import Answer, refuse_unstorable
from data_cache.order import fixed_order
from data_cache.runs import hash_text
from data_cache.samples import LETTERS, Benchmark, RowProblem, Sample, Split

NO_TEXT = "(The imported file has no text of this question.)"
LONGEST_PATH = 1000
"""Characters."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Answers with the samples that they are about."""

    benchmark: Benchmark
    answers: Mapping[str, Answer]
    """By sample id."""
    bad: tuple[RowProblem, ...]
    is_known: bool
    """The samples are those of a benchmark that is read here, not the file's own."""
    without_image: int = 0
    """Of the file's own samples, those whose image was named and not found."""


def match(benchmark: Benchmark, answers: Sequence[Answer]) -> Matched:
    """Find the samples of a benchmark by their ids.

    Raises
    ------
    BenchmarkError
        If none of the ids is one of the benchmark.
    """
    samples = {sample.id: sample for sample in benchmark.samples}
    kept: dict[str, Answer] = {}
    bad: list[RowProblem] = []
    strangers = 0
    for answer in answers:
        sample = samples.get(answer.id or "")
        strangers += sample is None
        try:
            if sample is None:
                raise answer.row.bad("id", f"{quoted(answer.id)} is no sample of {benchmark.name}")
            if sample.id in kept:
                raise _repeated(answer, kept[sample.id])
            _refuse_contradiction(answer, sample)
        except BadRow as error:
            bad.append(error.problem)
        else:
            kept[sample.id] = answer
    if answers and strangers == len(answers):
        raise BenchmarkError(
            f"{answers[0].row.file}: none of its ids (the first is {quoted(answers[0].id)}) is a "
            f"sample of {benchmark.name}; to keep the file's own questions, give them another name "
            "(--benchmark)"
        )
    return Matched(benchmark=benchmark, answers=kept, bad=tuple(bad), is_known=True)


def own_samples(
    name: str, answers: Sequence[Answer], *, store: ImageStore, images: Path | None, note: str
) -> Matched:
    """Make samples of what the file has of the questions.

    Parameters
    ----------
    name
        What the benchmark is called.
    answers
        In the order of the file.
    store
        Takes images that lie in the file.
    images
        The folder that paths of images are relative to; None takes that of the file.
    note
        Where the samples come from; each says so.
    """
    kept: dict[str, Answer] = {}
    samples: list[Sample] = []
    bad: list[RowProblem] = []
    counted: dict[str, int] = {}
    lost = 0
    for answer in answers:
        split: Split = answer.split or answer.assumed_split or "test"
        counted[split] = counted.get(split, 0) + 1
        sample_id = answer.id or f"{split}-{counted[split]:06d}"
        found = tuple(
            image for text in answer.images if (image := _image(text, answer, store, images))
        )
        try:
            refuse_unstorable(answer)
            if answer.right is None:
                raise answer.row.bad("answer", "the right answer is missing")
            if sample_id in kept:
                raise _repeated(answer, kept[sample_id])
            sample = Sample(
                id=sample_id,
                group_id=answer.group_id or _group_of(answer) or sample_id,
                question=answer.question or NO_TEXT,
                options=answer.options or _letters(answer),
                answer=answer.right,
                images=found,
                subset=answer.subset or "all",
                split=split,
                meta={**answer.meta, "imported": note},
            )
        except BadRow as error:
            bad.append(error.problem)
            continue
        lost += len(found) < len(answer.images)
        kept[sample_id] = answer
        samples.append(sample)
    if not samples:
        raise BenchmarkError(f"no row can be used; the first: {bad[0]}" if bad else "no rows")
    return Matched(
        benchmark=Benchmark(name=name, samples=fixed_order(samples), description=note),
        answers=kept,
        bad=tuple(bad),
        is_known=False,
        without_image=lost,
    )


def _refuse_contradiction(answer: Answer, sample: Sample) -> None:
    if answer.count != len(sample.options):
        raise answer.row.bad(
            "options", f"it has {answer.count}, and sample {sample.id!r} has {len(sample.options)}"
        )
    if answer.right is not None and answer.right != sample.answer:
        raise answer.row.bad(
            "answer",
            f"it is {_letters(answer)[answer.right]}, and that of sample {sample.id!r} is "
            f"{_letters(answer)[sample.answer]}; are the options in another order?",
        )
    if answer.split not in (None, sample.split):
        raise answer.row.bad(
            "split", f"it is {answer.split}, and that of sample {sample.id!r} is {sample.split}"
        )


def _repeated(answer: Answer, first: Answer) -> BadRow:
    where = f"row {first.row.number}"
    if first.row.file != answer.row.file:
        where += f" of {first.row.file.name}"
    return answer.row.bad("id", f"{quoted(answer.id)} is the id of {where}, too")


def _letters(answer: Answer) -> tuple[str, ...]:
    return tuple(
        LETTERS[place] if place < len(LETTERS) else str(place + 1) for place in range(answer.count)
    )


def _group_of(answer: Answer) -> str | None:
    """Questions about one image are no independent samples."""
    return f"image-{hash_text('|'.join(answer.images), 16)}" if answer.images else None


def _image(text: str, answer: Answer, store: ImageStore, folder: Path | None) -> ImageFile | None:
    """Return an image of the file or of its folder; None where there is none: answers need none."""
    try:
        if _is_path(text):
            root = folder or answer.row.file.parent
            return store.file(find_beside(answer.row, "image", [text], root, whole=True))
        return store.keep(decode_base64(text), "it")
    except BenchmarkError:
        return None


def _is_path(text: str) -> bool:
    """Tell a path from base64, which has no dots, and is longer."""
    return len(text) <= LONGEST_PATH and "." in text and not text.startswith("data:")
