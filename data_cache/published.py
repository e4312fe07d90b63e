"""What papers printed: numbers to hold our own against, each with the place where it stands.

Only numbers that are printed are here; what stands in a figure alone is not. Xiu26's are from the
paper, MI26's as a third party's summary quotes them.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

FILE = Path(__file__).with_name("published_numbers.json")


@dataclass(frozen=True, kw_only=True)
class Study:
    """A paper."""

    key: str
    short: str
    """As it is called on screen."""
    title: str
    venue: str
    link: str
    models: int
    families: int
    seen: str
    """`paper`, or `summary`: where the numbers were read."""
    settings: str
    """How its numbers were made."""


@dataclass(frozen=True, kw_only=True)
class PublishedCorrelation:
    """Spearman's rho over the models of a paper."""

    study: Study
    benchmark: str
    outcome: str
    """`accuracy` (strict first token) or `d_vision`."""
    quantity: str
    """An atom, `total` or `coinformation`."""
    rho: float
    p: float | None = None
    """None where the paper gives a bound, or nothing."""
    p_below: float | None = None
    n: int
    """Models."""
    at: str
    """Table or section."""
    note: str = ""

    @property
    def words(self) -> str:
        """Say the value, its p-value and where it stands.

        >>> published_correlations("mmbench")[0].words
        '0.750 (p < 0.001, 26 models; Xiu26, Table 2)'
        """
        p = ""
        if self.p_below is not None:
            p = f"p < {self.p_below:g}, "
        elif self.p is not None:
            p = f"p = {self.p:.3f}, "
        return f"{self.rho:.3f} ({p}{self.n} models; {self.study.short}, {self.at})"


@dataclass(frozen=True, kw_only=True)
class PublishedValue:
    """One atom of one model, bits."""

    study: Study
    benchmark: str
    model: str
    """As the paper writes it."""
    quantity: str
    bits: float
    at: str


@dataclass(frozen=True, kw_only=True)
class PublishedRegime:
    """What a paper says of a benchmark."""

    study: Study
    benchmark: str
    regime: str
    """`synergy-driven` or `knowledge-driven`."""
    at: str


@dataclass(frozen=True, kw_only=True)
class PublishedStep:
    """What a paper says that a step in size changes, mean over its synergy-driven benchmarks."""

    study: Study
    family: str
    smaller: float
    """Size in billions of parameters, as the model's name rounds it."""
    larger: float
    accuracy: float
    """Larger minus smaller, points."""
    synergy_share: float
    """Points of the share of the total."""
    unique_2_share: float
    at: str

    @property
    def models(self) -> tuple[str, str]:
        """The two models, as the paper would write them.

        >>> published_steps()[0].models
        ('LLaVA-OneVision-0.5B', 'LLaVA-OneVision-7B')
        """
        return f"{self.family}-{self.smaller:g}B", f"{self.family}-{self.larger:g}B"


@dataclass(frozen=True, kw_only=True)
class PublishedTuning:
    """Accuracy after fine-tuning on all samples alike and on samples weighed by PID, per cent."""

    study: Study
    benchmark: str
    model: str
    uniform: float
    pid: float
    at: str


@dataclass(frozen=True, kw_only=True)
class PublishedBound:
    """The most that a rank correlation is, where a paper says no more."""

    study: Study
    outcome: str
    quantity: str
    at_most: float
    n: int
    at: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PublishedShift:
    """A number before and after fine-tuning on samples weighed by PID."""

    study: Study
    model: str
    quantity: str
    before: float
    after: float
    at: str
    note: str = ""


def published_benchmark(name: str) -> str | None:
    """Return the key of the benchmark that papers measured, or None.

    Other variants than theirs are other benchmarks: POPE's popular setting is not its adversarial
    one.

    >>> published_benchmark("MMBench:en_dev"), published_benchmark("pope:popular")
    ('mmbench', None)
    """
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    for key, content in _content()["benchmarks"].items():
        if wanted in content["names"]:
            return key
    return None


def settings_of(benchmark: str, study: str) -> str:
    """Return which part of a benchmark a study measured; empty where it is not known.

    >>> settings_of("pope", "xiu26")
    'COCO 2014, adversarial, 3,000 questions'
    """
    key = published_benchmark(benchmark)
    return "" if key is None else str(_content()["benchmarks"][key].get(study, ""))


def published_correlations(benchmark: str) -> list[PublishedCorrelation]:
    """Return what papers printed of correlations over models on a benchmark."""
    return [PublishedCorrelation(**_with_study(row)) for row in _rows("correlations", benchmark)]


def published_regimes(benchmark: str) -> list[PublishedRegime]:
    """Return what papers call a benchmark."""
    return [PublishedRegime(**_with_study(row)) for row in _rows("regimes", benchmark)]


def published_values(benchmark: str) -> list[PublishedValue]:
    """Return the atoms of single models that papers printed for a benchmark."""
    return [PublishedValue(**_with_study(row)) for row in _rows("values", benchmark)]


def published_steps() -> list[PublishedStep]:
    """Return what papers printed of steps in size, family by family, from small to large."""
    return [PublishedStep(**_with_study(row)) for row in _content()["scaling"]]


def published_tunings(benchmark: str) -> list[PublishedTuning]:
    """Return what papers printed of fine-tuning on a benchmark."""
    return [PublishedTuning(**_with_study(row)) for row in _rows("tunings", benchmark)]


def published_bounds(*, outcome: str, quantity: str) -> list[PublishedBound]:
    """Return the bounds that papers printed of a correlation."""
    return [
        PublishedBound(**_with_study(row))
        for row in _content()["bounds"]
        if (row["outcome"], row["quantity"]) == (outcome, quantity)
    ]


def published_shifts(quantity: str) -> list[PublishedShift]:
    """Return what papers printed of a number before and after fine-tuning."""
    rows = [row for row in _content()["shifts"] if row["quantity"] == quantity]
    return [PublishedShift(**_with_study(row)) for row in rows]


def same_model(ours: str, theirs: str) -> bool:
    """Tell whether a model of ours, a hub id or a name, is what a paper calls by a short name.

    >>> same_model("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen2.5-VL-7B")
    True
    >>> same_model("Qwen/Qwen2.5-VL-72B-Instruct", "Qwen2.5-VL-7B")
    False
    >>> same_model("google/gemma-3-4b-it", "Gemma3-4B")
    True
    """
    return "+" not in ours and _bare(ours) == _bare(theirs)


def find_value(
    values: Iterable[PublishedValue], *, model: str, quantity: str
) -> PublishedValue | None:
    """Return the printed value of a model of ours, or None."""
    for value in values:
        if value.quantity == quantity and same_model(model, value.model):
            return value
    return None


def _bare(name: str) -> str:
    """Return the letters and digits of a model's name, without organisation and endings."""
    last = name.rstrip("/").rsplit("/", 1)[-1].lower()
    last = re.sub(r"-(instruct|it|hf|chat)$", "", last)
    last = re.sub(r"(?<=\d)_(?=\d)", ".", last)  # a file's name for 2.5
    return re.sub(r"[^a-z0-9.]", "", last)


def _rows(kind: str, benchmark: str) -> list[dict[str, Any]]:
    key = published_benchmark(benchmark)
    return [row for row in _content()[kind] if row["benchmark"] == key]


def _with_study(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"study": Study(key=row["study"], **_content()["studies"][row["study"]])}


@cache
def _content() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(FILE.read_text(encoding="utf-8")))
