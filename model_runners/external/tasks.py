"""What a worker is told of samples, and what becomes of its answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_cache.errors import BenchmarkError
from data_cache.samples import Sample
from model_runners.asking import Asking, answer_texts, said_of
from model_runners.bad_samples import BadSamples
from model_runners.encoding import decode_image
from model_runners.errors import BadOption, BadSample, SelfTestFailed, UnsupportedModel
from model_runners.external.supervisor import Answer
from model_runners.masking import Moments, NoiseStatistics
from model_runners.selftest import LEAK, ROUNDING, Check

CHECKS: Mapping[str, tuple[str, str]] = {
    "replay": ("rounding", "the replay differs from the plain forward pass"),
    "image_masked": ("leak", "with the image masked, other pixels still change the output"),
    "text_masked": ("leak", "with the text masked, other words still change the output"),
    "image_matters": ("acts", "the image does not move the output at all"),
    "text_matters": ("acts", "the text does not move the output at all"),
    "image_mask_acts": ("acts", "masking the image does not move the output at all"),
    "text_mask_acts": ("acts", "masking the text does not move the output at all"),
    "lens": ("rounding", "the last layer's lens differs from the model's output"),
    "padding": ("rounding", "padding of a batch changes the output"),
    "placeholder": ("leak", "pixels change the embeddings of positions that are not the image's"),
    "spread": ("acts", "the vectors of a modality have no variance"),
}
"""Check -> how it is judged (as in `selftest`), and what it means when it fails."""


def described(
    samples: Sequence[Sample],
    folder: Path,
    asking: Asking,
    bad: BadSamples,
    *,
    side: int | None = None,
) -> list[dict[str, Any]]:
    """Return samples as a worker reads them; their images become PNG files in a folder.

    Parameters
    ----------
    samples
        Those that cannot be put or whose images cannot be read are left out and noted.
    folder
        Of the images: RGB, upright, each once.
    asking
        How questions are put.
    bad
        Where bad samples are noted.
    side
        Pixels of the square that every image is made; None leaves them as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def one(given: list[Sample]) -> dict[str, Any]:
        sample = given[0]
        if reason := why_not_asked(sample):
            raise BadSample(sample.id, reason)
        said = said_of(sample, asking)
        try:
            paths = [str(_written(image, folder, side)) for image in sample.images]
        except (BenchmarkError, UnsupportedModel) as error:
            raise BadSample(sample.id, str(error)) from error
        return {
            "id": sample.id,
            "text": said.text,
            "question": list(said.question),
            "system": sample.system,
            "images": paths,
            "digests": [image.digest for image in sample.images],
            "answers": list(answer_texts(sample, asking.answers)),
        }

    found = [bad.spare([sample], one) for sample in samples]
    return [sample for sample in found if sample is not None]


def why_not_asked(sample: Sample) -> str | None:
    """Return why a worker cannot be asked a sample, as the end of a sentence; None if it can."""
    count = len(sample.images)
    if count != 1:
        return f"it has {count} images, and a model in a worker of its own takes one"
    return None


def refuse_samples(samples: Sequence[Sample]) -> None:
    """Refuse a benchmark of which a worker can be asked nothing, before a model is loaded.

    Raises
    ------
    BadOption
        With the reason of the first sample.
    """
    reasons = [why_not_asked(sample) for sample in samples]
    if samples and all(reasons):
        raise BadOption(
            f"none of the {len(samples)} samples asked for can be put to this model: of the first, "
            f"{samples[0].id!r}, {reasons[0]}; choose another benchmark or subset, or a model that "
            "transformers has"
        )


def _written(image: Any, folder: Path, side: int | None) -> Path:
    path = folder / f"{image.digest}.png"
    if not path.exists():
        from PIL.Image import Resampling

        picture = decode_image(image)
        if side is not None:
            picture = picture.resize((side, side), Resampling.BICUBIC)
        picture.save(path, "PNG", compress_level=1)
    return path


def checks_of(answer: Answer, dtype: str) -> tuple[Check, ...]:
    """Judge what a worker measured.

    Raises
    ------
    ValueError
        If a number is missing or is none.
    """
    values = answer.values.get("values")
    if not isinstance(values, Mapping) or values.keys() != CHECKS.keys():
        raise ValueError("its checks are not those of this PIDscope")
    limits = {
        "rounding": ROUNDING.get(dtype, ROUNDING["float32"]),
        "leak": LEAK.get(dtype, LEAK["float32"]),
        "acts": 0.0,
    }
    found: list[Check] = []
    for name, (kind, meaning) in CHECKS.items():
        value, limit = float(values[name]), limits[kind]
        passed = value > limit if kind == "acts" else value <= limit
        found.append(Check(name=name, value=value, limit=limit, passed=passed, meaning=meaning))
    return tuple(found)


def require_passed(name: str, checks: Sequence[Check]) -> None:
    """Refuse a model whose masking is not clean.

    Raises
    ------
    SelfTestFailed
        With the properties that failed.
    """
    failed = [check for check in checks if not check.passed]
    if failed:
        what = "; ".join(f"{check.meaning} ({check.name} = {check.value:.2g})" for check in failed)
        raise SelfTestFailed(f"{name} failed its self-test, so nothing was computed: {what}")


def statistics_of(answer: Answer) -> NoiseStatistics:
    """Return the noise of every stream.

    Raises
    ------
    ValueError
        If the table is not one of moments.
    """
    import torch

    if answer.table is None:
        raise ValueError("it has no table of moments")
    found: dict[str, Moments] = {}
    try:
        for row in answer.table.to_pylist():
            mean, std = (torch.tensor(row[name], dtype=torch.float32) for name in ("mean", "std"))
            if mean.shape != std.shape or not (mean.isfinite().all() and std.isfinite().all()):
                raise ValueError(f"the moments of {row['stream']} are not finite numbers")
            found[str(row["stream"])] = Moments(mean=mean, std=std, count=int(row["count"]))
        return NoiseStatistics(vision=found.pop("vision"), text=found.pop("text"), side=found)
    except (KeyError, TypeError) as error:
        raise ValueError(f"it has no moments of {error}") from error


def moments_table(statistics: NoiseStatistics) -> Any:
    """Return the noise of every stream as the table that a worker reads."""
    import pyarrow as pa

    streams = statistics.streams
    return pa.table(
        {
            "stream": list(streams),
            "mean": [one.mean.tolist() for one in streams.values()],
            "std": [one.std.tolist() for one in streams.values()],
            "count": [one.count for one in streams.values()],
        }
    )


def note_bad(answer: Answer, asked: Sequence[Mapping[str, Any]], bad: BadSamples) -> None:
    """Note the samples that a worker could not take.

    Raises
    ------
    ValueError
        If it names one that it was not asked about.
    """
    ids = {sample["id"] for sample in asked}
    try:
        for one in answer.values["bad"]:
            if one["sample_id"] not in ids:
                raise ValueError(f"it speaks of a sample {one['sample_id']!r:.40}")
            bad.reasons[one["sample_id"]] = str(one["reason"])
    except (KeyError, TypeError) as error:
        raise ValueError("its list of bad samples cannot be read") from error
