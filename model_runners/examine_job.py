"""What a job of kind `selftest` does: load a model, run every check on it, say what was found."""

from pathlib import Path
from typing import Any

from data_cache.jobs import JobRow
from data_cache.samples import Benchmark
from model_runners import hub
from model_runners.examine_requests import options_of
from model_runners.examining import examine_model
from model_runners.profile import Progress
from model_runners.reporter import Reporter


def work(
    cache: Path, job: JobRow, reporter: Reporter, show: Progress, benchmark: Benchmark | None
) -> dict[str, Any]:
    """Examine the model; a refusal is a result."""
    del cache, benchmark

    def stage(text: str) -> None:
        reporter.say(text)
        show.stage(text)

    def tell(sentence: str) -> None:
        reporter.say(sentence)
        show.tell(sentence)

    def downloaded(done: int, total: int) -> None:
        text = f"{hub.written_bytes(done)} of {hub.written_bytes(total)}"
        reporter.note(text)
        show.note(text)

    watch = hub.Watch(tell=tell, at=downloaded, stop=reporter.stop.is_set)
    return examine_model(options_of(job.request), stage=stage, watch=watch)


def outcome(result: dict[str, Any]) -> str:
    """Return one line about what was found.

    >>> outcome({"model": "m", "family": "F", "is_written": False, "refusal": None,
    ...     "self_test": {"checks": [{}, {}]}})
    'm can be used: 2 checks hold (F, recognised without a family file)'
    >>> outcome({"model": "m", "refusal": "it reads text only"})
    'm cannot be used: it reads text only'
    """
    if result["refusal"] is not None:
        return f"{result['model']} cannot be used: {result['refusal']}"
    family = result["family"]
    if not result["is_written"]:
        family += ", recognised without a family file"
    checks = len(result["self_test"]["checks"])
    return f"{result['model']} can be used: {checks} checks hold ({family})"
