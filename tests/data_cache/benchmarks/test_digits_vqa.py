"""digits_vqa: real handwriting, balanced, split by image, with exactly known atoms."""

import io
from collections import Counter, defaultdict

import numpy as np
import PIL.Image
import pytest

from data_cache.benchmarks import load_benchmark
from data_cache.benchmarks.digits_vqa import DIGITS, TASKS, _bundled
from data_cache.errors import BenchmarkError
from data_cache.samples import Benchmark, Sample
from pid_core import decompose_joint

ATOM_OF = {
    "synergy": "synergy",
    "vision": "unique_1",
    "language": "unique_2",
    "redundant": "redundancy",
}


@pytest.fixture(scope="module")
def digits() -> Benchmark:
    return load_benchmark("digits_vqa")


def test_each_subset_has_the_same_images(digits: Benchmark) -> None:
    groups: dict[str, list[str]] = defaultdict(list)
    for sample in digits.samples:
        groups[sample.subset].append(sample.group_id)
    assert set(groups) == set(TASKS)
    assert len({tuple(sorted(ids)) for ids in groups.values()}) == 1
    assert all(len(set(ids)) == len(ids) == 1408 for ids in groups.values())


def test_no_image_is_in_both_splits(digits: Benchmark) -> None:
    seen = {
        split: {i.digest for s in digits.samples if s.split == split for i in s.images}
        for split in ("train", "test")
    }
    assert len(seen["train"]) > 1000
    assert not seen["train"] & seen["test"]


def test_digits_and_answers_are_balanced_in_each_subset_and_split(digits: Benchmark) -> None:
    shown: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    answers: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for sample in digits.samples:
        shown[sample.subset, sample.split][sample.meta["digit"]] += 1
        answers[sample.subset, sample.split][sample.answer] += 1
    for count in shown.values():
        assert len(count) == DIGITS
        assert len(set(count.values())) == 1
    for count in answers.values():
        assert len(count) == 4
        assert len(set(count.values())) == 1


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("subset", TASKS)
def test_an_ideal_solver_has_two_bits_of_the_one_atom(
    digits: Benchmark, subset: str, split: str
) -> None:
    """Closed form, from the samples themselves: P(digit, text, answer) by counting."""
    samples = digits.select(subset=subset, split=split)
    texts = sorted({sample.question for sample in samples})
    joint = np.zeros((DIGITS, len(texts), 4))
    for sample in samples:
        joint[sample.meta["digit"], texts.index(sample.question), sample.answer] += 1
    atoms = decompose_joint(joint / joint.sum())
    for atom in ATOM_OF.values():
        expected = 2.0 if atom == ATOM_OF[subset] else 0.0
        assert getattr(atoms, atom) == pytest.approx(expected, abs=2e-3), atom


def test_prompts_of_a_subset_have_the_same_number_of_words(digits: Benchmark) -> None:
    lengths: dict[str, set[int]] = defaultdict(set)
    for sample in digits.samples:
        lengths[sample.subset].add(len(sample.question.split()))
    assert all(len(found) == 1 for found in lengths.values())


def test_images_are_real_files_of_handwriting(digits: Benchmark) -> None:
    sample: Sample = digits.samples[0]
    with PIL.Image.open(io.BytesIO(sample.images[0].read())) as image:
        assert (image.format, image.size) == ("PNG", (32, 32))
        assert np.asarray(image).std() > 30


def test_loading_twice_gives_the_same_benchmark(digits: Benchmark) -> None:
    assert load_benchmark("digits_vqa").key == digits.key


def test_an_unknown_benchmark_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(BenchmarkError, match="did you mean 'digits_vqa'"):
        load_benchmark("digit_vqa")


def test_it_is_made_once_a_process() -> None:
    assert load_benchmark("digits_vqa") is load_benchmark("digits_vqa")


def test_the_file_that_is_read_holds_what_scikit_learn_hands_out() -> None:
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = _bundled()
    assert np.array_equal(images, data.images)
    assert np.array_equal(labels, data.target)
