"""The three tasks: prove the masking, take the moments of each stream, predict all conditions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Callable

from .forks import BadSample, Merged, Unsupported
from .noise import RunningMoments, draw_noise, stream_seed

NOISY = ("only_1", "only_2", "neither")
OUTPUT_LAYER = -1


class Work:
    """Does tasks with one model."""

    def __init__(self, adapter: Any, request: dict[str, Any], step: Callable[[], None]):
        """Keep what every task needs; `step` is told of every forward pass."""
        self.adapter = adapter
        self.request = request
        self.step = step
        self.rows: int = request["batch_rows"]
        self.moments: dict[str, Any] = {}

    def do(self, task: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Return values (JSON) and a table (pyarrow, or None)."""
        kinds = {"check": self.check, "statistics": self.statistics, "predict": self.predict}
        if task.get("kind") not in kinds:
            raise Unsupported("this worker does not know the task {!r}".format(task.get("kind")))
        return kinds[task["kind"]](task)

    def check(self, task: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Measure on two samples what a clean mask must show; the other side judges."""
        adapter, samples = self.adapter, task["samples"]
        images = [opened(sample) for sample in samples]
        altered = [other_pixels(image) for image in images]
        seen = adapter.merge(samples, images)
        streams = streams_of(seen)
        moments = {name: _moments(vectors) for name, vectors in streams.items()}
        self.step()

        def read(merged: Merged, hidden: str) -> tuple[Any, Any]:
            """Logits (2, V) of both samples with what is hidden masked, and through the lens."""
            masked = self.masked(merged, samples, [(i, hidden, 0) for i in range(2)], moments)
            kept: dict[int, Any] = {}
            states = adapter.states(masked, kept.__setitem__)
            self.step()
            rows = _rows(masked)
            below = adapter.stack.norm(kept[max(kept)][rows, masked.last])
            return (
                adapter.logits(states[rows, masked.last]).cpu(),
                adapter.logits(below).cpu(),
            )

        full, lens = read(seen, "")
        blind, wordless = read(seen, "vision")[0], read(seen, "text")[0]
        anew = adapter.merge(samples, altered)
        reworded = adapter.merge(samples, images, "words")
        alone = adapter.merge(samples[:1], images[:1])
        single = adapter.logits(adapter.states(alone)[_rows(alone), alone.last]).cpu()
        plain = adapter.plain(samples, images)
        scale = max(1.0, float(plain.abs().max()))
        self.step()
        return {
            "values": {
                "replay": gap(full, plain) / scale,
                "image_masked": gap(blind, read(anew, "vision")[0]) / scale,
                "text_masked": gap(wordless, read(reworded, "text")[0]) / scale,
                "image_matters": gap(full, read(anew, "")[0]),
                "text_matters": gap(full, read(reworded, "")[0]),
                "image_mask_acts": gap(full, blind),
                "text_mask_acts": gap(full, wordless),
                "lens": gap(lens, full) / scale,
                "padding": gap(single[0], full[0]) / scale,
                "placeholder": reach(seen, anew),
                "spread": min(float(one[1].max()) for one in moments.values()),
            },
            "streams": {name: [len(one) for one in found] for name, found in streams.items()},
        }, None

    def statistics(self, task: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Take mean and variance of every stream over the samples of a task."""
        import pyarrow

        running: dict[str, RunningMoments] = {}
        bad: list[dict[str, str]] = []

        def observe(part: list[dict[str, Any]]) -> None:
            merged = self.adapter.merge(part, [opened(sample) for sample in part])
            for name, found in streams_of(merged).items():
                for vectors in found:
                    running.setdefault(name, RunningMoments()).update(vectors)
            self.step()

        self.spared(task["samples"], observe, bad)
        if not running:
            raise Unsupported("no sample could be read for the noise; the first: " + str(bad[:1]))
        found = {name: one.finish() for name, one in running.items()}
        table = pyarrow.table(
            {
                "stream": list(found),
                "mean": [one[0].tolist() for one in found.values()],
                "std": [one[1].tolist() for one in found.values()],
                "count": [running[name].count for name in found],
            }
        )
        return {"bad": bad}, table

    def predict(self, task: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Predict all conditions and draws of the samples of a task."""
        self.read_moments(task["moments"])
        rows: list[dict[str, Any]] = []
        bad: list[dict[str, str]] = []
        passes = [0]

        def predicted(part: list[dict[str, Any]]) -> None:
            found = self.predicted(part, task)
            passes[0] += len(found[1])
            rows.extend(found[0])

        self.spared(task["samples"], predicted, bad)
        return {"bad": bad, "passes": passes[0]}, table_of(rows) if rows else None

    def predicted(
        self, samples: list[dict[str, Any]], task: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[tuple[int, str, int]]]:
        """Return the rows of some samples, and the passes that they took."""
        answers = [self.answers(sample) for sample in samples]
        merged = self.adapter.merge(samples, [opened(sample) for sample in samples])
        bare = self.adapter.merge(samples, [])
        hidden = {"full": "", "only_1": "text", "only_2": "vision", "neither": "vision text"}
        plan = [("full", 0)] + [(one, draw) for draw in range(task["draws"]) for one in NOISY]
        places = [(row, one, draw) for one, draw in plan for row in range(len(samples))]
        places += [(row, "no_image", 0) for row in range(len(samples))]
        found: list[dict[str, Any]] = []
        features = self.features(merged)

        def run(part: list[tuple[int, str, int]]) -> None:
            new: list[dict[str, Any]] = []  # all of a part or nothing: it may be tried again
            for without in (False, True):
                chosen = [one for one in part if (one[1] == "no_image") == without]
                if not chosen:
                    continue
                call = (
                    bare.take([row for row, _, _ in chosen])
                    if without
                    else self.masked(
                        merged, samples, [(row, hidden[one], draw) for row, one, draw in chosen]
                    )
                )
                for layer, logits in self.read(call, task["layers"]):
                    for place, (row, condition, draw) in enumerate(chosen):
                        own = condition == "full" and layer == OUTPUT_LAYER
                        new.append(
                            {
                                "sample_id": samples[row]["id"],
                                "condition": condition,
                                "draw": draw,
                                "layer": layer,
                                **self.scored(logits[place], answers[row]),
                                **(features[row] if own else {}),
                            }
                        )
                self.step()
            found.extend(new)

        with_room(run, places, self.rows)
        return found, places

    def masked(
        self,
        merged: Merged,
        samples: list[dict[str, Any]],
        rows: list[tuple[int, str, int]],
        moments: Any = None,
    ) -> Merged:
        """Return prompts with what each hides replaced by its own noise, side channels included.

        Parameters
        ----------
        merged, samples
            B of them.
        rows
            Which prompt, what it hides (words), and the draw.
        moments
            By stream; None takes those of the last task.
        """
        moments = self.moments if moments is None else moments
        taken = merged.take([row for row, _, _ in rows])
        for place, (row, hidden, draw) in enumerate(rows):
            for modality in hidden.split():
                where = taken.vision[place] if modality == "vision" else taken.text[place]
                taken.embeddings[place, where] = self.noise(
                    modality, modality, samples[row], int(where.sum()), draw, moments
                ).to(taken.embeddings)
            if "vision" in hidden:
                for name, vectors in taken.side.items():
                    vectors[place] = self.noise(
                        name, "vision", samples[row], len(vectors[place]), draw, moments
                    ).to(vectors[place])
        return taken

    def noise(
        self, stream: str, modality: str, sample: Any, count: int, draw: int, moments: Any
    ) -> Any:
        """Return (count, d) noise of one stream of one sample."""
        seed = stream_seed(stream, modality, self.request["seed"], sample, draw)
        return draw_noise(moments[stream], count, seed)

    def read(self, call: Merged, layers: list[int]) -> Iterator[tuple[int, Any]]:
        """Yield (R, V) logits at the last token of each layer asked for, the output's first."""
        kept: dict[int, Any] = {}
        rows, last = _rows(call), call.last

        def keep(layer: int, states: Any) -> None:
            if layer in layers:
                kept[layer] = states[rows, last]

        states = self.adapter.states(call, keep if len(layers) > 1 else None)
        yield OUTPUT_LAYER, self.adapter.logits(states[rows, last])
        for layer in sorted(kept):
            yield layer, self.adapter.logits(self.adapter.stack.norm(kept[layer]))

    def scored(self, logits: Any, answers: list[int]) -> dict[str, Any]:
        """Return a row: log-likelihoods of the answers, and what greedy decoding would say."""
        log_p = logits.log_softmax(-1)
        top = int(log_p.argmax())
        said = self.spelled(top)
        strict = [i for i, one in enumerate(answers) if one == top or self.spelled(one) == said]
        return {
            "scores": log_p[answers].cpu().tolist(),
            "strict_choice": strict[0] if strict and (said or top in answers) else -1,
            "top_token": top,
        }

    def spelled(self, token: int) -> str:
        """Return what a token spells, but for case and blanks."""
        return str(self.adapter.tokenizer.decode([token])).strip().lower()

    def answers(self, sample: dict[str, Any]) -> list[int]:
        """Return the token of each answer of a sample."""
        found = [self.adapter.answer_tokens(answer) for answer in sample["answers"]]
        for answer, tokens in zip(sample["answers"], found):
            if len(tokens) != 1:
                raise BadSample(
                    sample["id"],
                    f"the answer {answer!r} takes {len(tokens)} tokens, and a worker scores "
                    "answers of one; ask for letters (--answers letters)",
                )
        return [tokens[0] for tokens in found]

    def features(self, merged: Merged) -> list[dict[str, Any]]:
        """Return the pooled vectors of each modality of each prompt, and how many there are."""
        pools = {
            "mean": lambda rows: rows.mean(0),
            "last": lambda rows: rows[-1],
            "max": lambda rows: rows.amax(0),
        }
        pool = pools[self.request["pooling"]]
        found = streams_of(merged)
        return [
            {
                "features_1": pool(vision.float()).cpu().tolist(),
                "features_2": pool(text.float()).cpu().tolist(),
                "image_tokens": len(vision),
                "text_tokens": len(text),
            }
            for vision, text in zip(found["vision"], found["text"])
        ]

    def read_moments(self, path: str) -> None:
        """Read the noise of every stream, once."""
        if self.moments:
            return
        import pyarrow.parquet
        import torch

        for row in pyarrow.parquet.read_table(path).to_pylist():
            self.moments[row["stream"]] = (torch.tensor(row["mean"]), torch.tensor(row["std"]))

    def spared(
        self,
        samples: list[dict[str, Any]],
        work: Callable[[list[dict[str, Any]]], None],
        bad: list[dict[str, str]],
    ) -> None:
        """Do work on samples in batches, again without each one that turns out to be bad."""

        def batch(part: list[dict[str, Any]]) -> None:
            left = list(part)
            while left:
                try:
                    return work(left)
                except BadSample as error:  # noqa: PERF203 - each is another sample
                    bad.append({"sample_id": str(error.args[0]), "reason": str(error.args[1])})
                    left = [sample for sample in left if sample["id"] != error.args[0]]
            return None

        with_room(batch, samples, max(1, self.rows // 4))


def with_room(work: Callable[[list[Any]], Any], items: list[Any], size: int) -> None:
    """Do work on items in parts; where one does not fit the memory, in halves, down to one item."""
    start = 0
    while start < len(items):
        try:
            work(items[start : start + size])
        except Exception as error:
            if not _is_full(error) or size == 1:
                raise
            import torch

            size = max(1, size // 2)
            print(f"memory ran out; going on with {size} at a time", flush=True)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            continue
        start += size


def _is_full(error: Exception) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error).lower()


def opened(sample: dict[str, Any]) -> Any:
    """Return a sample's image; the other side has made it RGB and upright."""
    from PIL import Image

    if len(sample["images"]) != 1:
        raise BadSample(
            sample["id"],
            "it has {} images, and this worker takes one".format(len(sample["images"])),
        )
    return Image.open(sample["images"][0]).convert("RGB")


def other_pixels(image: Any) -> Any:
    """Return another image of the same size: upside down, dark where this one is light."""
    from PIL import ImageOps

    return ImageOps.invert(image).rotate(180)


def streams_of(merged: Merged) -> dict[str, list[Any]]:
    """Return the vectors of every stream: (n, d) for each prompt."""
    return {
        "vision": [rows[held] for rows, held in zip(merged.embeddings, merged.vision)],
        "text": [rows[held] for rows, held in zip(merged.embeddings, merged.text)],
        **merged.side,
    }


def table_of(rows: list[dict[str, Any]]) -> Any:
    """Return rows as the table of a prediction chunk."""
    import pyarrow

    vector = pyarrow.list_(pyarrow.float32())
    types = {
        "sample_id": pyarrow.string(),
        "condition": pyarrow.string(),
        "draw": pyarrow.int16(),
        "layer": pyarrow.int16(),
        "scores": vector,
        "strict_choice": pyarrow.int16(),
        "top_token": pyarrow.int32(),
        "text_tokens": pyarrow.int32(),
        "image_tokens": pyarrow.int32(),
        "features_1": vector,
        "features_2": vector,
    }
    return pyarrow.table(
        {name: pyarrow.array([row.get(name) for row in rows], kind) for name, kind in types.items()}
    )


def gap(one: Any, other: Any) -> float:
    """Return the largest difference."""
    return float((one - other).abs().max())


def reach(seen: Merged, anew: Merged) -> float:
    """Return the largest change that other pixels make outside of the image's positions."""
    if seen.embeddings.shape != anew.embeddings.shape:
        return 1e9
    elsewhere = ~seen.vision
    before = seen.embeddings[elsewhere].float()
    return gap(before, anew.embeddings[elsewhere].float()) / max(1e-6, float(before.abs().max()))


def _rows(merged: Merged) -> Any:
    import torch

    return torch.arange(len(merged.embeddings), device=merged.embeddings.device)


def _moments(found: list[Any]) -> Any:
    import torch

    rows = torch.cat(found).float().cpu()
    return rows.mean(0), rows.std(0)
