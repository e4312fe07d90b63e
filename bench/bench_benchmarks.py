"""How long, and with how much memory, a benchmark of 100,000 samples becomes a cache.

    python bench/bench_benchmarks.py                  # tables
    python bench/bench_benchmarks.py --json           # one JSON object
    python bench/bench_benchmarks.py --quick          # 6,000 samples
    python bench/bench_benchmarks.py --folder DIR     # keep what is made there for the next time

The benchmark is made up: a picture of 640 x 480 for every six questions, once in a VLMEvalKit TSV
(base64 in the first row of each image, references to it in the others), once as JPEG files beside
a JSONL. "load" is `load_benchmark`, "samples" is `write_samples` (texts, options, thumbnails),
"ingest" fills the database. Each way runs in a process of its own, whose peak of memory is given.
Then a run with predictions of all samples is made up, and the Samples page opens on it.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import show, where  # noqa: E402

SAMPLES, QUICK = 100_000, 6_000
PER_IMAGE = 6
WAYS = ("tsv", "jsonl")
CATEGORIES = ("counting", "colours", "places", "text", "people", "relations")
ONE_SITTING = 24
"""Samples on a page."""

Row = dict[str, object]


def picture(seed: int) -> bytes:
    """A JPEG that takes as long to decode as a photograph."""
    noise = np.random.default_rng(seed).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    image = PIL.Image.fromarray(noise).resize((640, 480), PIL.Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def pictures(count: int) -> Iterator[bytes]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, count, 256):
            yield from pool.map(picture, range(start, min(start + 256, count)))


def question(number: int) -> dict[str, str]:
    return {
        "question": f"What is there in picture {number // PER_IMAGE}, asked as no. {number}?",
        "A": f"a cup {number % 7}",
        "B": f"a boat {number % 11}",
        "C": "a bird",
        "D": "none of these",
        "answer": "ABCD"[number % 4],
        "category": CATEGORIES[number % PER_IMAGE],
    }


def write_tsv(folder: Path, samples: int) -> Path:
    path = folder / "made_up.tsv"
    with path.open("w", encoding="utf-8") as file:
        file.write("index\tquestion\tA\tB\tC\tD\tanswer\tcategory\timage\n")
        shown = pictures(samples // PER_IMAGE + 1)
        for number in range(samples):
            cells = question(number).values()
            first = number - number % PER_IMAGE
            image = base64.b64encode(next(shown)).decode() if number == first else str(first)
            file.write("\t".join((str(number), *cells, image)) + "\n")
    return path


def write_jsonl(folder: Path, samples: int) -> Path:
    (folder / "images").mkdir(exist_ok=True)
    for number, raw in enumerate(pictures(samples // PER_IMAGE + 1)):
        (folder / "images" / f"{number:06d}.jpg").write_bytes(raw)
    path = folder / "made_up.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(samples):
            row = {"id": str(number), "image": f"images/{number // PER_IMAGE:06d}.jpg"}
            group = {"group_id": str(number // PER_IMAGE)}
            file.write(json.dumps(row | group | question(number)) + "\n")
    return path


WRITERS: dict[str, Callable[[Path, int], Path]] = {"tsv": write_tsv, "jsonl": write_jsonl}


class Steps:
    """Wall and processor time of each step, and the peak of memory up to its end."""

    def __init__(self, way: str):
        self.rows: list[Row] = []
        self._way = way
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def done(self, step: str) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.rows.append(
            {
                "way": self._way,
                "step": step,
                "seconds": round(wall - self._wall, 1),
                "processor_seconds": round(cpu - self._cpu, 1),
                "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def one(way: str, path: Path, cache: Path) -> dict[str, object]:
    """Load a benchmark into a cache, in this process."""
    from data_cache.benchmarks import load_benchmark
    from data_cache.ingest import ingest
    from data_cache.sample_chunks import write_samples
    from data_cache.spool import scan

    steps = Steps(way)
    steps.done("imports")
    benchmark = load_benchmark(str(path), cache=cache)
    assert benchmark.key
    steps.done("load")
    again = load_benchmark(str(path), cache=cache)
    assert again.key == benchmark.key
    del again
    steps.done("load again")
    write_samples(cache, benchmark)
    steps.done("samples")
    ingest(cache)
    steps.done("ingest")
    from data_cache.location import database_path

    return {
        "rows": steps.rows,
        "sizes_MB": {
            "chunks": round(sum(file.size for file in scan(cache)) / 1e6),
            "database": round(database_path(cache).stat().st_size / 1e6),
            "image store": round((cache / "images.sqlite").stat().st_size / 1e6),
        },
        "samples": len(benchmark.samples),
        "questions_groups": benchmark.questions,
        "bad_rows": len(benchmark.bad_rows),
    }


def make_run(path: Path, cache: Path) -> None:
    """Write predictions and an estimate of every sample, and ingest them."""
    import pyarrow as pa

    from data_cache.benchmarks import load_benchmark
    from data_cache.chunks import BLOCK_SIZE, ChunkPlan, write_chunk
    from data_cache.conditions import Condition
    from data_cache.estimates import ATOMS, SCORES, SpectrumRecord, estimate_key, save
    from data_cache.ingest import ingest
    from data_cache.location import run_directory
    from data_cache.runs import run_key, write_sidecar

    benchmark = load_benchmark(str(path), cache=cache)
    config = {
        "model": "made/up",
        "family": "llava",
        "benchmark": benchmark.name,
        "benchmark_key": benchmark.key,
        "seed": 0,
    }
    key = run_key(config)
    write_sidecar(cache, key, config, self_test={"passed": True})
    random = np.random.default_rng(0)
    for start in range(0, len(benchmark.samples), BLOCK_SIZE):
        ids = [sample.id for sample in benchmark.samples[start : start + BLOCK_SIZE]]
        plan = ChunkPlan(run_key=key, index=start // BLOCK_SIZE, sample_ids=tuple(ids), draws=2)
        keys = [
            (sample_id, str(condition), draw)
            for sample_id in plan.sample_ids
            for condition in plan.conditions
            for draw in range(plan.draws_of(Condition(condition)))
        ]
        logits = random.normal(size=(len(keys), 4))
        scores = np.log(0.9) + logits - np.log(np.exp(logits).sum(1, keepdims=True))
        table = {
            "sample_id": [sample_id for sample_id, _, _ in keys],
            "condition": [condition for _, condition, _ in keys],
            "draw": [draw for _, _, draw in keys],
            "layer": [-1] * len(keys),
            "scores": scores.tolist(),
            "strict_choice": scores.argmax(1).tolist(),
            "top_token": [7] * len(keys),
        }
        write_chunk(run_directory(cache, key), plan, pa.table(table))
    ids = [sample.id for sample in benchmark.samples]
    settings = {"tau": 0.3, "draws": 2}
    named = {
        "run_key": key,
        "subset": "all",
        "split": "all",
        "layer": -1,
        "estimator": "certified",
        "settings": settings,
    }
    record = SpectrumRecord(
        **named,
        estimate_key=estimate_key(**named),
        model="made/up",
        family="llava",
        benchmark=benchmark.name,
        n=len(ids),
        candidates=4,
        redundancy=0.5,
        unique_1=0.5,
        unique_2=0.5,
        synergy=0.5,
        total=2.0,
        information_1=1.0,
        information_2=1.0,
        gap_bits=1e-4,
        accuracy=0.25,
        accuracy_forced=0.25,
        mean_confidence=0.5,
        calibration_error=0.1,
        created="2026-01-02T03:04:05+00:00",
    )
    columns = {name: random.normal(size=len(ids)) for name in (*ATOMS, *SCORES)}
    save(cache, record, pa.table({"sample_id": ids} | columns))
    ingest(cache)


def page(cache: Path) -> list[Row]:
    """Time the queries behind the Samples page, and the page itself without a browser."""
    from data_cache.estimates import load
    from data_cache.sample_detail import sample_detail
    from data_cache.sample_filters import Bound, SampleFilters
    from data_cache.samples_view import SampleOrder, place_of, sample_page, subsets_of

    keys = tuple(record.estimate_key for record in load(cache))
    order = SampleOrder(estimate_keys=keys)
    start = sample_page(cache, order, limit=ONE_SITTING)
    first = start.rows[0].sample_id
    queries: dict[str, Callable[[], object]] = {
        "sample_page, first": lambda: sample_page(cache, order, limit=ONE_SITTING),
        "sample_page, in the middle": lambda: sample_page(
            cache, order, limit=ONE_SITTING, offset=start.total // 2
        ),
        "sample_page, table of 100": lambda: sample_page(cache, order, limit=100),
        **{
            f"sample_page, filtered by {name}": partial(
                sample_page, cache, replace(order, filters=filters), limit=ONE_SITTING
            )
            for name, filters in (
                ("a range", SampleFilters(bounds=(Bound(field="gap_score", low=0.5),))),
                ("tau in any condition", SampleFilters(fallback="any")),
                ("tau in none", SampleFilters(fallback="none")),
                ("text", SampleFilters(text="7")),
            )
        },
        "place_of": lambda: place_of(cache, order, first),
        "subsets_of": lambda: subsets_of(cache, keys),
        "sample_detail": lambda: sample_detail(cache, keys, first),
    }
    rows: list[Row] = []
    for name, query in queries.items():
        seconds = [timed(query) for _ in range(5)]
        rows.append(
            {"what": name, "median_s": round(float(np.median(seconds)), 3), "max_s": max(seconds)}
        )
    os.environ["PIDSCOPE_CACHE"] = str(cache)
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.switch_page("pages/samples.py")
    rows += [
        {"what": "the page, opened first", "median_s": timed(app.run)},
        {"what": "the page, drawn again", "median_s": timed(app.run)},
    ]
    assert not app.exception, app.exception
    assert len([one for one in app.button if str(one.key).startswith("open_")]) == ONE_SITTING
    app.query_params["sample"] = first
    rows.append({"what": "one sample, opened", "median_s": timed(app.run)})
    assert not app.exception, app.exception
    return rows


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return round(time.perf_counter() - start, 3)


def measured(*arguments: str) -> dict:
    printed = subprocess.run(
        [sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    found = json.loads(printed.splitlines()[-1])
    print(found, file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="6,000 samples")
    parser.add_argument("--folder", type=Path, help="keep files here, and take those that are")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, *rest = options.step
        if step == "load":
            print(json.dumps(one(rest[0], Path(rest[1]), Path(rest[2]))))
        elif step == "run":
            make_run(Path(rest[0]), Path(rest[1]))
            print("{}")
        else:
            print(json.dumps({"rows": page(Path(rest[0]))}))
        return
    samples = QUICK if options.quick else SAMPLES
    folder = options.folder or Path(tempfile.mkdtemp(prefix="pidscope-bench-"))
    found: dict[str, object] = {"where": where()}
    try:
        for way in WAYS:
            own = folder / f"{way}-{samples}"
            path = own / f"made_up.{way}"
            if not path.is_file():
                own.mkdir(parents=True, exist_ok=True)
                WRITERS[way](own, samples)
            shutil.rmtree(own / "cache", ignore_errors=True)
            found[way] = measured("--step", "load", way, str(path), str(own / "cache"))
        last = folder / f"jsonl-{samples}"
        measured("--step", "run", str(last / "made_up.jsonl"), str(last / "cache"))
        found["page"] = measured("--step", "page", str(last / "cache"))
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for way in WAYS:
        show(f"{samples:,} samples from {way}", found[way]["rows"])  # type: ignore[index]  # JSON
        print(found[way] | {"rows": ...})  # type: ignore[operator]  # JSON
    show("The Samples page", found["page"]["rows"])  # type: ignore[index]  # JSON


if __name__ == "__main__":
    main()
