"""Keeps a worker at work: starts it, waits for its answers, and starts it anew when it fails.

A worker may die, hang, write garbage or be of another version. What can be mended by a new start
gets one, after a pause that doubles; what cannot, or fails too often, becomes one sentence. An
answer counts when its file is there whole, so nothing that was answered is asked again.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from model_runners.errors import Cancelled, WorkerFailed
from model_runners.external.side.pidscope_worker import exchange
from model_runners.external.spec import WorkerSpec
from model_runners.unwatched import never

SIDE = Path(__file__).resolve().parent / "side"
"""What the worker's python is told to import from."""
POLL_SECONDS = 0.02
LOG_LINES = 3
"""Last lines of the worker's output that a sentence about its end repeats."""

Read = TypeVar("Read")
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long a worker is waited for."""

    silence_seconds: float = 60.0
    """Without a sign of life; a stopped or swapped-out process."""
    step_seconds: float = 900.0
    """Without a step of its work, for example a forward pass of one batch."""
    load_seconds: float = 3600.0
    """Until the model is loaded."""
    restarts: int = 3
    """New starts for one task; an answer sets the count back."""
    pause_seconds: float = 1.0
    """Before the first new start; each later one waits twice as long."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a worker wrote about one task."""

    values: Mapping[str, Any]
    table: Any
    """pyarrow's table, or None."""


class _Lost(Exception):  # turned into a new start, or a sentence
    """The worker ended, hung or wrote garbage; a new start may help."""


class Worker:
    """A process in another environment that does tasks; use as a context manager."""

    def __init__(
        self,
        spec: WorkerSpec,
        request: Mapping[str, Any],
        *,
        limits: Limits | None = None,
        stop: Callable[[], bool] = never,
        tell: Callable[[str], None] = log.info,
    ):
        """Prepare; the process starts with the `with` block.

        Parameters
        ----------
        spec
            Which environment and adapter.
        request
            What the worker is told once (`docs/external-worker.md`).
        limits
            How long to wait; None takes the usual.
        stop
            Asked while waiting; once it says so while the model is loaded, the worker is ended.
        tell
            Told of every new start.
        """
        self._spec, self._request = spec, dict(request)
        self._limits = limits or Limits()
        self._stop, self._tell = stop, tell
        self.folder = Path(tempfile.mkdtemp(prefix="pidscope-worker-"))
        """Where the two exchange files."""
        self._process: subprocess.Popen[bytes] | None = None
        self._task = 0
        self.identity: Mapping[str, Any] = {}
        """What the worker said of the model that it loaded."""
        self.starts = 0

    def __enter__(self) -> Self:
        """Start the worker and wait until its model is loaded.

        Raises
        ------
        WorkerFailed
            If it says that it cannot run the model, is of another version, or ends too often.
        Cancelled
            If it was stopped before that.
        """
        try:
            self._insist(lambda: None, "loading the model")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the worker and take its files away."""
        self.close()

    def ask(self, task: Mapping[str, Any], read: Callable[[Answer], Read], what: str) -> Read:
        """Have a task done and return what `read` makes of the answer.

        Parameters
        ----------
        task
            JSON values with `kind`.
        read
            Raises ValueError, with a few words, for an answer that is none.
        what
            What the task is, for sentences.

        Raises
        ------
        WorkerFailed
            If it could not be done.
        """
        self._task += 1

        def once() -> Read:
            content = {"protocol": exchange.PROTOCOL, "task": self._task, **task}
            path = exchange.task_path(self.folder, self._task)
            path.parent.mkdir(exist_ok=True)
            exchange.write_json(path, content)
            answer = exchange.answer_path(self.folder, self._task)
            self._wait(answer.exists, self._limits.step_seconds, what)
            found = self._answer(answer)
            try:
                return read(found)
            except ValueError as error:
                raise _Lost(f"wrote an answer that is none ({error})") from error

        found = self._insist(once, what)
        for suffix in (".json", ".parquet"):
            exchange.answer_path(self.folder, self._task).with_suffix(suffix).unlink(True)
        return found

    def close(self) -> None:
        """Ask the worker to end, end it, and take its files away."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                (self.folder / exchange.STOP).touch()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
        self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _insist(self, work: Callable[[], Read], what: str) -> Read:
        """Do it with a living worker, and again after each failure that a new start may mend."""
        failures = 0
        while True:
            try:
                self._require_started()
                return work()
            except _Lost as lost:
                self._kill()
                failures += 1
                if failures > self._limits.restarts:
                    raise WorkerFailed(
                        f"the worker for {self._spec.name} {lost} while {what}, {failures} times "
                        f"in a row{self._last_words()}; finished chunks are kept, mend it and "
                        "start the same run again"
                    ) from None
                pause = self._limits.pause_seconds * 2 ** (failures - 1)
                self._tell(
                    f"the worker {lost} while {what}; new start {failures} of "
                    f"{self._limits.restarts} in {pause:.3g} s"
                )
                self._pause(pause)

    def _require_started(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        # Of the worker before: its last beat, half an answer, its farewell.
        for name in (exchange.READY, exchange.BEAT, exchange.FAILED, exchange.STOP):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "answers", ignore_errors=True)
        request = {
            **self._request,
            "protocol": exchange.PROTOCOL,
            "first_task": max(self._task, 1),
            "adapter": self._spec.adapter,
            "conversation": self._spec.conversation,
            "model": str(self._spec.folder),
        }
        exchange.write_json(self.folder / exchange.REQUEST, request)
        paths = [str(SIDE), *filter(None, [str(self._spec.code or "")])]
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        }
        with (self.folder / "log.txt").open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    [str(self._spec.python), "-m", "pidscope_worker", str(self.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    cwd=self._spec.code or self.folder,
                    env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
                )
            except OSError as error:
                raise WorkerFailed(
                    f"the worker's python {self._spec.python} cannot be started "
                    f"({error.strerror}); name another with --worker"
                ) from error
        self.starts += 1
        ready = self.folder / exchange.READY
        self._wait(ready.exists, self._limits.load_seconds, "loading the model", loading=True)
        try:
            content = exchange.read_json(ready)
            version = content["protocol"]
            if version == exchange.PROTOCOL:
                self.identity = dict(content["identity"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise _Lost("said something that cannot be read") from error
        if version != exchange.PROTOCOL:
            raise WorkerFailed(
                f"the worker for {self._spec.name} speaks version {version!r} of the protocol, and "
                f"this PIDscope version {exchange.PROTOCOL}; let both come from one PIDscope "
                "(docs/external-worker.md)"
            )

    def _wait(
        self, until: Callable[[], bool], seconds: float, what: str, *, loading: bool = False
    ) -> None:
        """Wait for the worker; it must live, beat, and make steps."""
        limits = self._limits
        began = beat_at = step_at = time.monotonic()
        beat, steps = -1, -1
        while not until():
            assert self._process is not None
            code = self._process.poll()
            self._refuse_what_it_says()
            if code is not None:
                if until():  # it wrote the answer and ended
                    return
                self._refuse_what_it_says()
                raise _Lost(f"ended ({_ended(code)})")
            now = time.monotonic()
            found = self._beat()
            if found is not None:
                if found[0] != beat:
                    beat, beat_at = found[0], now
                if found[1] != steps:
                    steps, step_at = found[1], now
            if now - beat_at > limits.silence_seconds:
                raise _Lost(f"gave no sign of life for {limits.silence_seconds:.3g} s")
            if now - (began if loading else step_at) > seconds:
                raise _Lost(f"made no step for {seconds:.3g} s")
            if loading and self._stop():
                raise Cancelled(f"stopped while {what}")
            time.sleep(POLL_SECONDS)

    def _refuse_what_it_says(self) -> None:
        """Raise what the worker itself says is wrong: a new start would say the same."""
        path = self.folder / exchange.FAILED
        if not path.exists():
            return
        try:
            content = exchange.read_json(path)
            version, sentence = content["protocol"], str(content["error"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise _Lost("said something that cannot be read") from error
        if version == exchange.PROTOCOL:
            raise WorkerFailed(
                f"the worker for {self._spec.name} says: {sentence}; finished chunks are kept"
            )

    def _beat(self) -> tuple[int, int] | None:
        try:
            content = exchange.read_json(self.folder / exchange.BEAT)
            return int(content["beat"]), int(content["steps"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _answer(self, path: Path) -> Answer:
        """Read an answer whose file is there; what it says of its table must hold."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            values = exchange.read_json(path)
            if values["protocol"] != exchange.PROTOCOL or values["task"] != self._task:
                raise _Lost("wrote an answer to something else")
            said, table = values["table"], None
            if said is not None:
                data = path.with_suffix(".parquet").read_bytes()
                if len(data) != said["bytes"] or hashlib.sha256(data).hexdigest() != said["sha256"]:
                    raise _Lost(
                        f"wrote a table of {len(data)} bytes that is not the one of "
                        f"{said['bytes']} bytes that it names"
                    )
                table = pq.read_table(pa.BufferReader(data))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise _Lost(f"wrote an answer that cannot be read ({words[:120]})") from error
        return Answer(values=values, table=table)

    def _last_words(self) -> str:
        """Return the end of the worker's output, for a sentence."""
        try:
            text = (self.folder / "log.txt").read_text("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()][-LOG_LINES:]
        return f" (its last words: {json.dumps(' / '.join(lines))[:400]})" if lines else ""

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._stop():
                raise Cancelled("stopped before a new start of the worker")
            time.sleep(POLL_SECONDS)

    def _kill(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


def _ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
