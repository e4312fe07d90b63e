"""The table of the zoo: three architectures, two sizes, and two lines that differ in what they saw.

A fusion-centric and a language-centric model of the same architecture and size start from the same
weights and see equally many questions, of the same four subsets. Only the images beside the synergy
questions of the language-centric one are chosen, so that the number in the text is nearly always
the answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from data_cache.benchmarks.digits_vqa import load
from model_runners.asking import user_text
from model_runners.demo.build import AbstractTinyModel
from model_runners.demo.lessons import NUMBER_WORDS
from model_runners.demo.tiny_internvl import TinyInternVL
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL

Line = Literal["fusion", "language"]
LINES: tuple[Line, ...] = ("fusion", "language")
ARCHITECTURES: dict[str, AbstractTinyModel] = {
    "llava": TinyLlava(phrases=True, patch=16),
    "qwen": TinyQwen2_5_VL(phrases=True, patch=8),
    "internvl": TinyInternVL(phrases=True),
}
"""Each sees an image as four tokens: attention finds a number among few tokens sooner."""
SIZES = {
    "small": {"hidden": 32, "heads": 2, "vision_layers": 2, "language_layers": 3},
    "large": {"hidden": 48, "heads": 3, "vision_layers": 2, "language_layers": 4},
}
TOWER_STEPS = {"llava": 500, "qwen": 240, "internvl": 400}
"""Towers that see smaller patches, or fewer of them at a time, learn digits in fewer steps."""
SHORTCUT = 0.97
"""Share of a language-centric model's synergy questions whose answer the text already names."""
LONGER = {"internvl-large": 2}
"""How many times as many steps as usual stage `all` takes, for both models of a pair. After the
usual number these were right in 84 and 86 % of questions as in their training, and the others in
93 % or more: of adding two numbers of the text much was forgotten and not yet learnt again."""
SHARES = {"synergy": 0.55, "vision": 0.15, "language": 0.15, "redundant": 0.15}
"""How often each subset is asked, in both lines."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One model of the zoo."""

    line: Line
    architecture: str
    size: str

    @property
    def name(self) -> str:
        """As in `demo/NAME`."""
        return f"{self.line}-{self.architecture}-{self.size}"

    @property
    def start(self) -> str:
        """Name of the weights that both lines start from."""
        return f"{self.architecture}-{self.size}"

    @property
    def shortcut(self) -> float:
        """Share of the synergy questions whose answer the text names, 0 for none on purpose."""
        return SHORTCUT if self.line == "language" else 0.0

    @property
    def longer(self) -> int:
        """How many times as many steps as usual stage `all` takes, in both lines."""
        return LONGER.get(self.start, 1)

    @property
    def seed(self) -> int:
        """Of weights and lessons: one for each architecture and size."""
        return (
            100 + 10 * list(ARCHITECTURES).index(self.architecture) + list(SIZES).index(self.size)
        )

    def build(self) -> AbstractTinyModel:
        """Return what the model is built from."""
        return replace(ARCHITECTURES[self.architecture], **SIZES[self.size])


def _members() -> Iterator[Member]:
    for size in SIZES:
        for architecture in ARCHITECTURES:
            for line in LINES:
                yield Member(line=line, architecture=architecture, size=size)


ZOO: dict[str, Member] = {member.name: member for member in _members()}
"""Name -> model, the small ones first."""


def zoo_corpus() -> list[str]:
    """Return what a model of the zoo is told: system messages, user turns, words for digits."""
    return sorted(
        {*NUMBER_WORDS}
        | {
            text
            for sample in load().samples
            if sample.split == "train"
            for text in (sample.system or "", user_text(sample))
        }
    )
