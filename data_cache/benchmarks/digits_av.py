"""digits_av: handwriting that moves and a tone beside it, information atoms known in closed form.

What is seen is a digit 0 to 7 of `digits_vqa`'s images, moving through two frames; what is heard is
half a second of one of four tones, numbers 0 to 3 by height, with noise. The question is the
condition, never a source. For a solver that knows digit and tone, the answer's 2 bits are:

========== ============================================ ==========================
subset     question                                     2 bits of
========== ============================================ ==========================
synergy    (digit + tone) mod 4                          synergy: neither is enough
video      which pair holds the digit                    video-unique
audio      which tone it is                              audio-unique
redundant  which pair is shown and played                redundancy
========== ============================================ ==========================

Within each digit of each split the tones are balanced, so that these values hold exactly in the
sample. The subsets but `redundant` ask about the same clips; there the tone's number is that of the
digit's pair. Each subset has two wordings, which mean the same.

Frames and sounds are made here, to the bit, from whole numbers alone. `write_clips` makes real
files of them, with a table that reads them.
"""

import io
import json
import wave
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_cache.benchmarks.digits_vqa import (
    DIGITS,
    IMAGE_SIDE,
    PAIRS,
    SPLIT_SEED,
    SUMS,
    DigitImages,
    digit_images,
)
from data_cache.images import MediaFile, sha256
from data_cache.order import fixed_order
from data_cache.samples import Benchmark, ImageFile, Sample, Split

TONES = ("lowest", "second lowest", "second highest", "highest")
FREQUENCIES = (300, 500, 800, 1250)
"""Hertz, before each is put off by up to `DETUNED`."""
DETUNED = 0.04
RATE = 8000
"""Values of sound per second."""
SECONDS = 0.5
FRAMES = 2
DIGIT_SIDE = 26
"""Pixels of a digit within a frame of `IMAGE_SIDE`."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """The wordings of one subset."""

    wordings: tuple[str, str]
    options: tuple[str, ...]


TASKS: dict[str, Task] = {
    "synergy": Task(
        wordings=(
            "Add the number of the tone to the digit. What is the sum modulo 4?",
            "What is the digit plus the number of the tone, modulo 4?",
        ),
        options=SUMS,
    ),
    "video": Task(
        wordings=("Which pair holds the digit that is shown?", "To which pair belongs the digit?"),
        options=PAIRS,
    ),
    "audio": Task(
        wordings=("Which tone is played?", "How high is the tone among the four?"),
        options=TONES,
    ),
    "redundant": Task(
        wordings=("Which pair is shown and played?", "Which pair do digit and tone name?"),
        options=PAIRS,
    ),
}


def answer_of(subset: str, digit: int, tone: int) -> int:
    """Return the index of a question's answer.

    Parameters
    ----------
    subset
        A key of `TASKS`.
    digit
        What is shown, 0 to 7.
    tone
        What is played, 0 to 3.
    """
    return {
        "synergy": (digit + tone) % 4,
        "video": digit // 2,
        "audio": tone,
        "redundant": digit // 2,
    }[subset]


def frame_png(pixels: np.ndarray, left: int, top: int) -> bytes:
    """Encode one digit (8, 8), grey levels 0 to 16, at a place of a black frame."""
    import PIL.Image

    grey = np.clip(np.rint(pixels * (255.0 / 16.0)), 0, 255).astype(np.uint8)
    side = (DIGIT_SIDE, DIGIT_SIDE)
    digit = PIL.Image.fromarray(grey).resize(side, PIL.Image.Resampling.BICUBIC)
    frame = PIL.Image.new("L", (IMAGE_SIDE, IMAGE_SIDE))
    frame.paste(digit, (left, top))
    buffer = io.BytesIO()
    # Stored, not compressed: the bytes identify the image, and every zlib compresses differently.
    frame.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def tone_wave(tone: int, generator: np.random.Generator) -> np.ndarray:
    """Return (`RATE` * `SECONDS`,) int16: a triangle wave of one height, with noise.

    Whole numbers alone: sines differ in their last bit between machines.
    """
    count = round(RATE * SECONDS)
    detuned = int(generator.integers(-100, 101))
    period = 1_000_000
    hertz = FREQUENCIES[tone] * (100_00 + round(DETUNED * 100) * detuned) // 100_00
    step = hertz * period // RATE
    phase = (int(generator.integers(period)) + step * np.arange(count, dtype=np.int64)) % period
    triangle = np.abs(4 * phase - 2 * period) - period  # -period to period
    loud = int(generator.integers(4000, 12001))
    noise = generator.integers(-1500, 1501, count)
    return (triangle * loud // period + noise).astype(np.int16)


def encode_wav(waveform: np.ndarray) -> bytes:
    """Encode (n,) int16 values at `RATE` as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(waveform.astype("<i2").tobytes())
    return buffer.getvalue()


@dataclass(frozen=True, kw_only=True)
class Clip:
    """What is shown and played together."""

    digit: int
    tone: int
    source: int
    """Row of the digit's image in scikit-learn's data set."""
    frames: tuple[ImageFile, ...]
    sound: MediaFile


def clips_of(split: Split, *, aligned: bool) -> list[Clip]:
    """Return one clip per image of a split.

    Parameters
    ----------
    split
        Whose images.
    aligned
        Whether the tone's number is that of the digit's pair; else tones are balanced within each
        digit.
    """
    images = digit_images()[split]
    generator = np.random.default_rng([SPLIT_SEED, 77, int(split == "test"), int(aligned)])
    tones = np.empty(len(images.digits), dtype=int)
    for digit in range(DIGITS):
        rows = np.flatnonzero(images.digits == digit)
        tones[rows] = digit // 2 if aligned else generator.permutation(np.arange(len(rows)) % 4)
    return [_clip(images, row, int(tone), generator) for row, tone in enumerate(tones)]


def _clip(images: DigitImages, row: int, tone: int, generator: np.random.Generator) -> Clip:
    most = IMAGE_SIDE - DIGIT_SIDE
    places = generator.integers(most + 1, size=(FRAMES, 2))
    data = encode_wav(tone_wave(tone, generator))
    return Clip(
        digit=int(images.digits[row]),
        tone=tone,
        source=int(images.source_index[row]),
        frames=tuple(
            ImageFile(data=frame_png(images.pixels[row], int(left), int(top)))
            for left, top in places
        ),
        sound=MediaFile(data=data, digest=sha256(data)),
    )


def load() -> Benchmark:
    """Build all samples: 8 digits x (132 + 44) images x 4 subsets = 5,632."""
    samples: list[Sample] = []
    for split in digit_images():
        clips = {aligned: clips_of(split, aligned=aligned) for aligned in (False, True)}
        for subset, task in TASKS.items():
            seen: Counter[tuple[int, int]] = Counter()
            for clip in clips[subset == "redundant"]:
                # Each tone of each digit is asked about in both wordings, in turn.
                wording = task.wordings[seen[clip.digit, clip.tone] % 2]
                seen[clip.digit, clip.tone] += 1
                samples.append(
                    Sample(
                        id=f"{subset}-{clip.source:04d}",
                        group_id=f"digit-{clip.source:04d}",
                        images=clip.frames,
                        audio=clip.sound,
                        question=wording,
                        options=task.options,
                        answer=answer_of(subset, clip.digit, clip.tone),
                        subset=subset,
                        split=split,
                        meta={"template": wording, "digit": clip.digit, "tone": clip.tone},
                    )
                )
    return Benchmark(
        name="digits_av",
        samples=fixed_order(samples),
        description=(
            "Moving digits 0-7 and four tones; four subsets, each 2 bits of one atom for an ideal "
            "solver that is told the question."
        ),
    )


def write_clips(folder: Path, *, limit: int | None = None, split: Split = "test") -> Path:
    """Write samples as files of their own, and a table of them that any run takes as a benchmark.

    A clip becomes an MP4 of H.264 and AAC, as a camera's are: its pixels and sounds are no longer
    those of `load`, but near them.

    Parameters
    ----------
    folder
        Where `digits_av.jsonl` and the folder `clips` are written.
    limit
        Samples per subset; None writes all.
    split
        Whose samples.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    BenchmarkError
        If PyAV is not installed.
    """
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = []
    counts = dict.fromkeys(TASKS, 0)
    for sample in load().samples:
        if sample.split != split or counts[sample.subset] == limit:
            continue
        counts[sample.subset] += 1
        aligned = "-aligned" if sample.subset == "redundant" else ""
        name = f"clips/{sample.group_id}{aligned}.mp4"
        if not (folder / name).exists():
            _write_mp4(folder / name, sample)
        lines.append(
            {
                "id": sample.id,
                "group_id": sample.group_id,
                "video": name,
                "question": sample.question,
                "options": list(sample.options),
                "answer": sample.letters[sample.answer],
                "subset": sample.subset,
                "split": sample.split,
                "template": sample.question,
            }
        )
    table = folder / "digits_av.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return table


def _write_mp4(path: Path, sample: Sample) -> None:
    """Write frames and sound of a sample as one file."""
    from fractions import Fraction

    import PIL.Image

    from data_cache.sounds import read_sound
    from data_cache.videos import pyav

    av = pyav()
    assert sample.audio is not None
    sound = read_sound(sample.audio, rate=RATE, most_seconds=SECONDS)
    with av.open(str(path), "w") as container:
        shown = container.add_stream("libx264", rate=Fraction(FRAMES) / Fraction(SECONDS))
        shown.width = shown.height = IMAGE_SIDE
        shown.pix_fmt = "yuv420p"
        shown.options = {"crf": "10"}
        heard = container.add_stream("aac", rate=RATE, layout="mono")
        for image in sample.images:
            with PIL.Image.open(io.BytesIO(image.read())) as opened:
                picture = av.VideoFrame.from_image(opened.convert("RGB"))
            container.mux(shown.encode(picture))
        container.mux(shown.encode(None))
        frame = av.AudioFrame.from_ndarray(sound.waveform[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
        for piece in resampler.resample(frame):
            container.mux(heard.encode(piece))
        container.mux(heard.encode(None))
