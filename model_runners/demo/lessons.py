"""The training examples: a stream of new questions on train-split images, with modality dropout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_cache.benchmarks.digits_vqa import (
    DIGITS,
    TASKS,
    digit_images,
    encode_png,
    question_of,
)
from data_cache.samples import ImageFile, Sample
from model_runners.encoding import encode
from model_runners.prompt import MASK_SCOPES

if TYPE_CHECKING:
    import torch

NUMBERS = 4
NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
CONDITION_SHARES = {"full": 0.35, "only_1": 0.25, "only_2": 0.25, "neither": 0.05, "no_image": 0.10}
"""How often each condition is shown while training with modality dropout."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One wording of one subset, tokenised; the answer still depends on the image."""

    subset: str
    first: int
    second: int
    digit: int | None
    """The digit that the text names; None where it names none."""
    ids: "torch.Tensor"
    text: "torch.Tensor"
    """Same length as `ids`, bool: the maskable positions."""
    vision: "torch.Tensor"
    from_end: int
    """How many tokens before the end the question itself ends."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One training batch of B examples of at most L tokens."""

    input_ids: "torch.Tensor"
    attention_mask: "torch.Tensor"
    pixels: "torch.Tensor"
    """(images, 3, side, side), normalised, in the order of the rows that have one."""
    text: "torch.Tensor"
    """(B, L) bool: positions to be masked as text (already empty where the row keeps its text)."""
    vision: "torch.Tensor"
    all_text: "torch.Tensor"
    """(B, L) bool: every maskable text position, for the noise statistics."""
    all_vision: "torch.Tensor"
    target: "torch.Tensor"
    """(B,) token of the right letter."""
    hint_column: "torch.Tensor"
    """(B,) where the question ends; there the answer's own words can be asked for."""
    hint_target: "torch.Tensor"
    """(B,) first token of the right option, or -100 where the text is hidden."""


def train_samples_of(
    digit_of_image: int, image: ImageFile
) -> list[tuple[tuple[int, int, int | None], Sample]]:
    """Return one sample for each wording that can go with an image of a digit."""
    found: list[tuple[tuple[int, int, int | None], Sample]] = []
    for subset, task in TASKS.items():
        firsts = range(NUMBERS) if subset in {"synergy", "language"} else range(1)
        seconds = range(NUMBERS) if subset == "language" else range(1)
        for first in firsts:
            for second in seconds:
                question, answer = question_of(subset, digit_of_image, first, second)
                named = digit_of_image if subset == "redundant" else None
                sample = Sample(
                    id=f"{subset}-{first}-{second}-{digit_of_image}",
                    group_id="lesson",
                    images=(image,),
                    question=question,
                    options=task.options,
                    answer=answer,
                    subset=subset,
                    split="train",
                    system=task.system,
                )
                found.append(((first, second, named), sample))
    return found


class Lessons:
    """Draws training batches; same seed, same batches."""

    def __init__(self, processor: Any, *, image_token_id: int, seed: int):
        """Tokenise every wording once, with and without image, through the runner's own encoder."""
        images = digit_images()["train"]
        files = [ImageFile(data=encode_png(pixels)) for pixels in images.pixels]
        self.pixels = image_tensor(files)
        self.digits = images.digits
        self.generator = np.random.default_rng(seed)
        self.pad = processor.tokenizer.pad_token_id
        self.letters = [processor.tokenizer.encode(x, add_special_tokens=False)[0] for x in "ABCD"]
        wordings: dict[tuple[str, int, int, int | None], Sample] = {}
        for digit in range(DIGITS):
            for (first, second, named), sample in train_samples_of(digit, files[0]):
                wordings.setdefault((sample.subset, first, second, named), sample)
        spell = processor.tokenizer.encode
        self.named = [spell(word, add_special_tokens=False)[-1] for word in NUMBER_WORDS]
        self.option_tokens = {
            subset: [spell(option, add_special_tokens=False)[0] for option in task.options]
            for subset, task in TASKS.items()
        }
        self.questions = {
            with_image: self._tokenise(processor, wordings, image_token_id, with_image=with_image)
            for with_image in (True, False)
        }

    @staticmethod
    def _tokenise(
        processor: Any,
        wordings: dict[tuple[str, int, int, int | None], Sample],
        image_token_id: int,
        *,
        with_image: bool,
    ) -> dict[tuple[str, int, int, int | None], Question]:
        samples = list(wordings.values())
        batch, asked = (
            encode(
                processor,
                samples,
                image_token_id=image_token_id,
                with_image=with_image,
                scope=scope,
            )
            for scope in MASK_SCOPES
        )
        table: dict[tuple[str, int, int, int | None], Question] = {}
        for row, key in enumerate(wordings):
            keep = slice(-int(batch.lengths[row]), None)
            table[key] = Question(
                subset=key[0],
                first=key[1],
                second=key[2],
                digit=key[3],
                ids=batch.inputs["input_ids"][row, keep],
                text=batch.text[row, keep],
                vision=batch.vision[row, keep],
                from_end=asked.text.shape[1] - int(asked.text[row].nonzero().max()),
            )
        return table

    def draw(
        self,
        count: int,
        *,
        shares: Mapping[str, float],
        dropout: bool,
        shortcut: float = 0.0,
        conditions: Mapping[str, float] = CONDITION_SHARES,
    ) -> Lesson:
        """Draw a batch: image, task, numbers and (with `dropout`) condition, each at random.

        Parameters
        ----------
        count
            Examples.
        shares
            How often each subset is asked.
        dropout
            Whether modalities are dropped.
        shortcut
            Share of the synergy questions whose image is chosen so that the number in the text is
            the answer. The text alone is then right in that share, and in a quarter of the rest.
        conditions
            How often each condition is shown where modalities are dropped. Beside those of
            `CONDITION_SHARES` there is `described`: the image's places hold its digit as a word,
            as if somebody had put the picture into words.
        """
        import torch

        rng = self.generator
        rows = rng.integers(len(self.digits), size=count)
        tasks = rng.choice(list(shares), p=list(shares.values()), size=count)
        if shortcut:
            agreeing = rng.choice(np.flatnonzero(self.digits % NUMBERS == 0), size=count)
            rows = np.where((tasks == "synergy") & (rng.random(count) < shortcut), agreeing, rows)
        first, second = rng.integers(NUMBERS, size=(2, count))
        names, weights = list(conditions), list(conditions.values())
        shown_as = rng.choice(names, p=weights, size=count) if dropout else np.full(count, "full")
        questions: list[Question] = []
        answers: list[int] = []
        words: list[int] = []
        for row, task, one, two, condition in zip(
            rows, tasks, first, second, shown_as, strict=True
        ):
            digit = int(self.digits[row])
            key = (
                str(task),
                int(one) if task in {"synergy", "language"} else 0,
                int(two) if task == "language" else 0,
                digit if task == "redundant" else None,
            )
            questions.append(self.questions[bool(condition != "no_image")][key])
            answer = question_of(str(task), digit, int(one), int(two))[1]
            answers.append(self.letters[answer])
            words.append(self.option_tokens[str(task)][answer])
        length = max(len(question.ids) for question in questions)
        ids = torch.full((count, length), self.pad)
        attention, text, vision = (torch.zeros(count, length, dtype=torch.bool) for _ in range(3))
        for row, question in enumerate(questions):
            keep = slice(length - len(question.ids), None)
            ids[row, keep] = question.ids
            attention[row, keep] = True
            text[row, keep] = question.text
            vision[row, keep] = question.vision
            if shown_as[row] == "described":
                ids[row, keep][question.vision] = self.named[int(self.digits[rows[row]])]
                vision[row, keep] = False
        hides_text = torch.as_tensor(np.isin(shown_as, ["only_1", "neither"]))[:, None]
        hides_image = torch.as_tensor(np.isin(shown_as, ["only_2", "neither"]))[:, None]
        shown = rows[~np.isin(shown_as, ["no_image", "described"])]
        return Lesson(
            input_ids=ids,
            attention_mask=attention.long(),
            pixels=augment(self.pixels[torch.as_tensor(shown)], rng),
            text=text & hides_text,
            vision=vision & hides_image,
            all_text=text,
            all_vision=vision,
            target=torch.as_tensor(answers),
            hint_column=torch.as_tensor([length - question.from_end for question in questions]),
            hint_target=torch.as_tensor(words).masked_fill(hides_text[:, 0], -100),
        )


def image_tensor(files: Sequence[ImageFile]) -> "torch.Tensor":
    """Return (n, 3, side, side) pixels, -1 to 1, as the demo models' image processors do."""
    import torch

    from model_runners.encoding import decode_image

    grey = np.stack([np.asarray(decode_image(file), dtype=np.float32) for file in files])
    return torch.as_tensor(grey).permute(0, 3, 1, 2) / 127.5 - 1


def augment(pixels: "torch.Tensor", rng: np.random.Generator) -> "torch.Tensor":
    """Shift, turn, scale and shear each image a little; handwriting varies in these ways."""
    import torch
    from torch.nn import functional

    count = len(pixels)
    if not count:
        return pixels
    angle = np.deg2rad(rng.uniform(-12, 12, count))
    scale_x, scale_y = rng.uniform(0.88, 1.14, (2, count))
    shear = rng.uniform(-0.12, 0.12, count)
    shift = rng.uniform(-0.12, 0.12, (2, count))
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.stack(
        [
            np.stack([cos * scale_x, (shear * cos - sin) * scale_y, shift[0]], 1),
            np.stack([sin * scale_x, (shear * sin + cos) * scale_y, shift[1]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(
        torch.as_tensor(matrix, dtype=pixels.dtype), list(pixels.shape), False
    )
    moved = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    contrast = torch.as_tensor(rng.uniform(0.85, 1.1, (count, 1, 1, 1)), dtype=pixels.dtype)
    return (moved + 1) * contrast - 1
