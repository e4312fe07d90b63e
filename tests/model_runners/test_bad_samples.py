"""Bad samples: the run goes on without them, names them, and tries them again."""

import dataclasses
import io
import json
from pathlib import Path

import PIL.Image
import pytest

from data_cache import jobs, queries
from data_cache.location import run_directory
from data_cache.samples import Benchmark, ImageFile, Sample
from model_runners import bad_samples
from model_runners.__main__ import main
from model_runners.bad_samples import BadSamples
from model_runners.commands.foreground import tell
from model_runners.encoding import encode
from model_runners.errors import BadSample, UnsupportedModel
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.scores import score
from model_runners.jobs import open_job
from model_runners.loading import LoadedModel, load
from model_runners.profile import SILENT, ProfileOptions, profile
from model_runners.unwatched import never
from model_runners.worker import perform

BROKEN = (0, 3, 65)
"""Places in the benchmark: the self-test would take the first, and block 1 has the last."""


@pytest.fixture(scope="module")
def loaded(untrained: Path) -> LoadedModel:
    return load(str(untrained), device="cpu")


def options(loaded: LoadedModel, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": loaded.source.location, "benchmark": "digits_vqa", "limit": 66, "draws": 1,
        "device": "cpu",
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


def changed(benchmark: Benchmark, places: tuple[int, ...], **fields: object) -> Benchmark:
    """Return the first 80 samples, some of them with other fields."""
    samples = tuple(
        dataclasses.replace(sample, **fields) if place in places else sample  # pyright: ignore[reportArgumentType]
        for place, sample in enumerate(benchmark.samples[:80])
    )
    return dataclasses.replace(benchmark, samples=samples)


@pytest.fixture(scope="module")
def broken(digits: Benchmark) -> Benchmark:
    """A benchmark with images that do not open."""
    cut = digits.samples[0].images[0].read()[:60]
    return changed(digits, BROKEN, images=(ImageFile(data=cut),))


def test_a_run_goes_on_without_images_that_do_not_open(
    loaded: LoadedModel, broken: Benchmark, tmp_path: Path
) -> None:
    report = profile(options(loaded), tmp_path, benchmark=broken, loaded=loaded)
    bad = [broken.samples[place].id for place in BROKEN]
    assert [one["sample_id"] for one in report.bad_samples] == bad
    assert all("cannot be decoded" in one["reason"] for one in report.bad_samples)
    assert (report.samples, report.computed) == (66, 63)
    found = set(queries.predictions(tmp_path, report.run_key).sample_ids)
    assert found == {sample.id for sample in broken.samples[:66]} - set(bad)
    folder = run_directory(tmp_path, report.run_key)
    assert bad_samples.read(folder) == list(report.bad_samples)


def test_bad_samples_are_tried_again_and_the_good_ones_are_not(
    loaded: LoadedModel, broken: Benchmark, tmp_path: Path
) -> None:
    first = profile(options(loaded), tmp_path, benchmark=broken, loaded=loaded)
    folder = run_directory(tmp_path, first.run_key)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = profile(options(loaded), tmp_path, benchmark=broken, loaded=loaded)
    assert (again.computed, len(again.bad_samples)) == (0, 3)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_sample_that_has_become_good_leaves_the_list(
    loaded: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    """Its file is away while the first run looks for it, as on a disk that is mounted later."""
    path = tmp_path / "image.png"
    path.write_bytes(digits.samples[5].images[0].read())
    away = changed(digits, (5,), images=(ImageFile(path=path),))
    assert away.key  # hashes the file
    path.rename(tmp_path / "away.png")
    first = profile(options(loaded, limit=8), tmp_path, benchmark=away, loaded=loaded)
    assert [one["sample_id"] for one in first.bad_samples] == [away.samples[5].id]
    (tmp_path / "away.png").rename(path)
    second = profile(options(loaded, limit=8), tmp_path, benchmark=away, loaded=loaded)
    assert (second.run_key, second.computed) == (first.run_key, 1)
    assert second.bad_samples == ()
    folder = run_directory(tmp_path, first.run_key)
    assert not (folder / bad_samples.FILE_NAME).exists()
    assert len(queries.predictions(tmp_path, first.run_key).sample_ids) == 8


def test_a_missing_file_costs_one_sample_and_not_the_benchmark(
    loaded: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    missing = changed(digits, (2,), images=(ImageFile(path=tmp_path / "gone.png"),))
    report = profile(options(loaded, limit=4), tmp_path, benchmark=missing, loaded=loaded)
    (one,) = report.bad_samples
    assert one["sample_id"] == digits.samples[2].id
    assert "gone.png cannot be read" in one["reason"]


def test_options_that_cannot_be_scored_are_bad_samples_too(
    loaded: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    empty = changed(digits, (1, 2), options=("one", " "), answer=0)
    wanted = options(loaded, limit=4, answers="options")
    report = profile(wanted, tmp_path, benchmark=empty, loaded=loaded)
    assert [one["sample_id"] for one in report.bad_samples] == [
        sample.id for sample in digits.samples[1:3]
    ]
    assert "has no words" in report.bad_samples[0]["reason"]


def test_where_every_sample_is_bad_the_run_says_the_first_reason(
    loaded: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedModel, match=r"none of the 4 samples could be run; the first"):
        profile(options(loaded, limit=4, answers="yes-no"), tmp_path, loaded=loaded)


def test_a_job_lists_them_and_the_command_line_prints_them(
    loaded: LoadedModel, broken: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = open_job(tmp_path, options(loaded, limit=4))
    jobs.claim(tmp_path, job.job_key)
    ended = perform(tmp_path, job, benchmark=broken)
    assert ended.result["bad_sample_count"] == 2
    assert "2 could not be run, the next run tries them again" in ended.message
    tell(ended)
    said = capsys.readouterr().err
    for place in BROKEN[:2]:
        assert f"sample {broken.samples[place].id!r} was left out: an image cannot be" in said
    assert "self-test: holds: the last layer's lens is the model's output" in said


def test_what_was_noted_of_other_samples_stays(digits: Benchmark, tmp_path: Path) -> None:
    def noted(*samples: Sample) -> BadSamples:
        found = BadSamples()
        found.reasons = {sample.id: "why" for sample in samples}
        return found

    one, two, three = digits.samples[:3]
    bad_samples.note(tmp_path, [one, two], noted(one, two))
    bad_samples.note(tmp_path, [two, three], noted(three))
    assert [entry["sample_id"] for entry in bad_samples.read(tmp_path)] == [one.id, three.id]
    (tmp_path / bad_samples.FILE_NAME).write_text(json.dumps({"samples": 3}))
    assert bad_samples.read(tmp_path) == [], "a note for people stops nothing"


def test_work_that_blames_a_sample_that_it_does_not_have_is_not_repeated(
    digits: Benchmark,
) -> None:
    def blame(_: list[Sample]) -> None:
        raise BadSample("another", "why")

    with pytest.raises(BadSample, match="'another'"):
        BadSamples().spare(digits.samples[:2], blame)


def strip(length: int) -> ImageFile:
    file = io.BytesIO()
    PIL.Image.new("RGB", (length, 1), "red").save(file, "PNG")
    return ImageFile(data=file.getvalue())


def test_an_image_that_only_this_model_refuses_is_named(
    qwen: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    """Its processor takes no image that is more than 200 times as long as high."""
    odd = changed(digits, (3,), images=(strip(400),))
    with pytest.raises(BadSample, match=r"processor refuses it: .*aspect ratio") as caught:
        encode(qwen.processor, odd.samples[:6], image_token_id=qwen.image_token_id)
    assert caught.value.sample_id == digits.samples[3].id


def test_a_question_without_an_image_is_a_bad_sample(
    loaded: LoadedModel, digits: Benchmark
) -> None:
    bare = changed(digits, (1,), images=())
    with pytest.raises(BadSample, match="has no image") as caught:
        encode(loaded.processor, bare.samples[:4], image_token_id=loaded.image_token_id)
    assert caught.value.sample_id == digits.samples[1].id


def test_the_list_of_runs_has_their_self_tests_and_bad_samples(
    loaded: LoadedModel, broken: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = profile(options(loaded, limit=4), tmp_path, benchmark=broken, loaded=loaded)
    assert main(["list", "runs", "--json", "--cache", str(tmp_path)]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["bad_samples"] == list(report.bad_samples)
    assert run["self_test"]["passed"]
    assert main(["list", "runs", "--cache", str(tmp_path)]) == 0
    assert "self_test" not in capsys.readouterr().out


def test_a_sample_that_cannot_be_run_is_not_trained_on(
    loaded: LoadedModel, digits: Benchmark, tmp_path: Path
) -> None:
    cut = ImageFile(data=digits.samples[0].images[0].read()[:60])
    place = next(i for i, sample in enumerate(digits.samples) if sample.split == "train")
    broken = changed(digits, (place,), images=(cut,))
    wanted = FinetuneOptions(
        model=loaded.source.location, benchmark="digits_vqa", strategy="pid", limit=12, draws=1,
        device="cpu",
    )  # fmt: skip
    samples = broken.select(split="train", limit=12)
    scores = score(
        wanted, samples, tmp_path, benchmark=broken, loaded=loaded, progress=SILENT, stop=never
    )
    assert set(scores.sample_ids) == {one.id for one in samples} - {broken.samples[place].id}
