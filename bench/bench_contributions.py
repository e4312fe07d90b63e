"""Does C follow the fusion? Tiny models of four kinds of fusion, trained where the truth is known.

    python bench/bench_contributions.py            # tables
    python bench/bench_contributions.py --json     # one JSON object
    python bench/bench_contributions.py --quick    # one seed, no noise

QMC25 (arXiv 2511.19470) reports that symmetric fusion gives balanced contributions and that
asymmetric fusion is biased towards one modality. Here each kind of fusion learns tasks on real
digits in which image and text are worth the same by construction, so that the truth of C is known:
1/2, or none. C is taken twice: from the embeddings before the fusion and from those after it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data_cache.benchmarks.digits_vqa import DIGITS, digit_images
from pid_core import Channels
from pid_core.contributions import (
    CLUSTERS,
    NOISE_SCALES,
    ContributionRow,
    contribution_table,
    noise_stability,
)

WIDTH, HEADS = 32, 2
WORDS, FILLERS = 8, 5
"""A text is one number of 8 and five filler words of 8, so that texts vary as images do."""
EPOCHS, BATCH, RATE = 40, 132, 3e-3
TEXTS_PER_IMAGE = 4
"""Of each test image: 352 images give 1,408 samples."""


@dataclass(frozen=True)
class Task:
    """What is asked, and the atoms of an ideal solver (bits)."""

    name: str
    truth: str
    same: bool = False
    """The text names the digit of the image."""
    few_texts: bool = False
    """No filler: eight texts in all."""
    adds: bool = False

    def answer(self, digit: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
        if self.adds:
            return (digit + number) % 4
        return digit // 2 if self.same else 2 * (digit // 4) + number // 4


TASKS = (
    Task("a half each", "U1 = U2 = 1, C = 1/2"),
    Task("a half each, 8 texts", "U1 = U2 = 1, C = 1/2", few_texts=True),
    Task("both the same", "R = 2, no C", same=True),
    Task("sum modulo 4", "S = 2, no C", adds=True),
)
FUSIONS = ("concatenation", "text asks image", "image asks text", "both ask")


@dataclass(frozen=True)
class Data:
    """Samples of one task and split."""

    pixels: torch.Tensor
    """(N, 8, 8) in 0 to 1."""
    words: torch.Tensor
    """(N, 1 + FILLERS) ids."""
    answers: torch.Tensor
    """(N,) 0 to 3."""


def make(task: Task, split: str, seed: int, repeats: int) -> Data:
    """Pair each image with random texts, the numbers balanced within each digit."""
    images = digit_images()[split]  # pyright: ignore[reportArgumentType]
    rng = np.random.default_rng((seed, len(split)))
    digits = np.tile(images.digits, repeats)
    numbers = np.empty_like(digits)
    for digit in range(DIGITS):
        rows = np.flatnonzero(digits == digit)
        numbers[rows] = rng.permutation(np.arange(len(rows)) % WORDS)
    if task.same:
        numbers = digits
    fillers = rng.integers(WORDS, size=(len(digits), FILLERS)) + WORDS
    if task.few_texts:
        fillers[:] = WORDS
    digit, number = torch.as_tensor(digits), torch.as_tensor(numbers)
    return Data(
        pixels=torch.as_tensor(np.tile(images.pixels, (repeats, 1, 1)) / 16).float(),
        words=torch.cat([number[:, None], torch.as_tensor(fillers)], 1),
        answers=task.answer(digit, number),
    )


class Block(nn.Module):
    """Attention of queries to a context, and an MLP; with itself it is self-attention."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_q, self.norm_c, self.norm_m = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, queries: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        c = self.norm_c(context)
        x = queries + self.attention(self.norm_q(queries), c, c, need_weights=False)[0]
        return x + self.mlp(self.norm_m(x))


class Tiny(nn.Module):
    """An encoder per modality, one fusion, and a head that reads what the fusion wrote."""

    def __init__(self, fusion: str) -> None:
        super().__init__()
        self.fusion = fusion
        self.rows = nn.Linear(8, WIDTH)
        self.words = nn.Embedding(2 * WORDS, WIDTH)
        self.places = nn.Parameter(0.1 * torch.randn(8 + 1 + FILLERS, WIDTH))
        self.see, self.read, self.fuse_1, self.fuse_2 = (Block() for _ in range(4))
        self.head = nn.Sequential(nn.LayerNorm(2 * WIDTH), nn.Linear(2 * WIDTH, 64), nn.GELU())
        self.out = nn.Linear(64, 4)

    def forward(
        self, pixels: torch.Tensor, words: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, tuple[torch.Tensor, torch.Tensor]]]:
        """Return logits and the mean states of image and text, before and after the fusion."""
        image = self.rows(pixels) + self.places[:8]
        text = self.words(words) + self.places[8:]
        image, text = self.see(image, image), self.read(text, text)
        before = image.mean(1), text.mean(1)
        if self.fusion == "concatenation":
            both = torch.cat([image, text], 1)
            both = self.fuse_1(both, both)
            image, text = both[:, :8], both[:, 8:]
        else:
            seen, said = image, text
            if self.fusion in {"text asks image", "both ask"}:
                text = self.fuse_1(said, seen)
            if self.fusion in {"image asks text", "both ask"}:
                image = self.fuse_2(seen, said)
        after = image.mean(1), text.mean(1)
        # A one-way fusion answers from the side that asked: the other has not seen both.
        read = {"text asks image": (after[1],) * 2, "image asks text": (after[0],) * 2}
        logits = self.out(self.head(torch.cat(read.get(self.fusion, after), 1)))
        return logits, {"before": before, "after": after}


@dataclass(frozen=True)
class Trained:
    """What a trained model says about the test samples."""

    answers: np.ndarray
    """(N, 4) probabilities."""
    states: dict[str, tuple[np.ndarray, np.ndarray]]
    accuracy: float
    other_image: float
    """Accuracy with the images dealt out anew."""
    other_text: float
    seconds: float


def train(task: Task, fusion: str, seed: int) -> Trained:
    start = time.process_time()
    torch.manual_seed(seed)
    model = Tiny(fusion)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    steps = EPOCHS * (DIGITS * 132 // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        data = make(task, "train", 1000 * seed + epoch, 1)
        order = torch.randperm(len(data.answers))
        for rows in order.split(BATCH):
            logits, _ = model(data.pixels[rows], data.words[rows])
            optimiser.zero_grad()
            nn.functional.cross_entropy(logits, data.answers[rows]).backward()
            optimiser.step()
            schedule.step()
    seconds = time.process_time() - start
    model.eval()
    data = make(task, "test", 0, TEXTS_PER_IMAGE)
    mixed = torch.randperm(len(data.answers))
    with torch.no_grad():
        logits, states = model(data.pixels, data.words)
        other_image, _ = model(data.pixels[mixed], data.words)
        other_text, _ = model(data.pixels, data.words[mixed])

    def right(found: torch.Tensor) -> float:
        return float((found.argmax(-1) == data.answers).float().mean())

    return Trained(
        answers=logits.double().softmax(-1).numpy(),
        states={
            place: (one.double().numpy(), two.double().numpy())
            for place, (one, two) in states.items()
        },
        accuracy=right(logits),
        other_image=right(other_image),
        other_text=right(other_text),
        seconds=seconds,
    )


def channels_of(found: Trained, place: str) -> Channels:
    one, two = found.states[place]
    return Channels(
        full=found.answers, only_1=found.answers, only_2=found.answers,
        features_1=one, features_2=two,
    )  # fmt: skip


def plain(row: ContributionRow) -> dict[str, object]:
    """Return the numbers of a row, rounded."""
    values: dict[str, object] = {
        "k": row.clusters,
        "noise": row.noise,
        "C1": row.contribution_1,
        "R": row.found.redundancy,
        "U1": row.found.unique_1,
        "U2": row.found.unique_2,
        "S": row.found.synergy,
        "total": row.found.total,
        "alone": row.alone,
    }
    if row.chance is not None:
        values |= {
            "chance U1": row.chance.unique_1,
            "chance U2": row.chance.unique_2,
            "chance total": row.chance.total,
        }
    return {
        name: (None if isnan(value) else round(value, 4)) if isinstance(value, float) else value
        for name, value in values.items()
    }


def bench(
    seeds: Sequence[int], *, noise: bool
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Train every model, and decompose; one row per model, seed, place, and k or noise."""
    models: list[dict[str, object]] = []
    rows: list[dict[str, object]] = []
    for task in TASKS:
        for fusion in FUSIONS:
            for seed in seeds:
                found = train(task, fusion, seed)
                name = {"task": task.name, "fusion": fusion, "seed": seed}
                models.append(
                    name
                    | {
                        "accuracy": round(found.accuracy, 4),
                        "other image": round(found.other_image, 4),
                        "other text": round(found.other_text, 4),
                        "seconds": round(found.seconds, 1),
                    }
                )
                for place in found.states:
                    channels = channels_of(found, place)
                    table = contribution_table(channels, CLUSTERS, seeds=(0,), permutations=1)
                    if noise and place == "after":
                        table += noise_stability(
                            channels, NOISE_SCALES[1:], clusters=64, seeds=(0,), permutations=1
                        )
                    rows += [name | {"place": place} | plain(row) for row in table]
                print(models[-1], file=sys.stderr)
    return models, rows


def summary(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Mean and range over the seeds of the models."""
    result: list[dict[str, object]] = []
    keys = list(
        dict.fromkeys((r["task"], r["fusion"], r["place"], r["k"], r["noise"]) for r in rows)
    )
    for task, fusion, place, k, noise in keys:
        same = [
            row
            for row in rows
            if (row["task"], row["fusion"], row["place"], row["k"], row["noise"])
            == (task, fusion, place, k, noise)
        ]

        def mean(name: str, rows: list[dict[str, object]] = same) -> float:
            return round(float(np.mean([float(str(row[name])) for row in rows])), 3)

        shares = [row["C1"] for row in same]
        known = [float(str(share)) for share in shares if share is not None]
        result.append(
            {
                "task": task,
                "fusion": fusion,
                "place": place,
                "k": k,
                "noise": noise,
                "C1 by seed": " ".join(
                    "none" if s is None else f"{float(str(s)):.2f}" for s in shares
                ),
                "C1": round(float(np.mean(known)), 3) if len(known) == len(shares) else None,
                **{name: mean(name) for name in ("R", "U1", "U2", "S", "total")},
                "by chance U1 U2": f"{mean('chance U1'):.2f} {mean('chance U2'):.2f}",
                "alone": mean("alone"),
            }
        )
    return result


def where() -> dict[str, str]:
    root = Path(__file__).resolve().parent.parent
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True,
        check=False,
    ).stdout.strip()  # fmt: skip
    information = Path("/proc/cpuinfo")
    cpu = platform.processor() or platform.machine()
    if information.exists():
        names = [x for x in information.read_text().splitlines() if x.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit or "unknown",
        "machine": f"{cpu}, {os.cpu_count()} cores, OMP_NUM_THREADS="
        + os.environ.get("OMP_NUM_THREADS", "unset"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }


def show(title: str, rows: list[dict[str, object]]) -> None:
    print(f"\n## {title}\n")
    names = list(dict.fromkeys(name for row in rows for name in row))
    print("| " + " | ".join(names) + " |")
    print("|" + " --- |" * len(names))
    for row in rows:
        print("| " + " | ".join(str(row.get(name, "")) for name in names) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="one seed, no noise")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    models, rows = bench((0,) if options.quick else (0, 1, 2), noise=not options.quick)
    results = {
        "where": where(),
        "cpu_seconds": {
            "training": round(sum(float(str(model["seconds"])) for model in models), 1),
            "all": round(time.process_time() - start, 1),
        },
        "truth": {task.name: task.truth for task in TASKS},
        "models": models,
        "summary": summary(rows),
    }
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print("  ".join(f"{name}: {value}" for name, value in where().items()))
    show("The models", models)
    show("Contributions, mean over the models' seeds", results["summary"])


if __name__ == "__main__":
    main()
