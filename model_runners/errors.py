"""What can go wrong while a model is loaded or run, in sentences for a person.

RunnerError
├── ModelNotFound      no such name, folder or hub id
├── UnsupportedModel   a model whose family, text stack or candidates PIDscope cannot handle
├── SelfTestFailed     masking leaks, or the replay differs from the plain forward pass
├── BadSample          one sample cannot be run; the others can
├── BadOption          a command-line or page option that makes no sense
├── SplitLeak          a sample of another split was about to be trained on or scored
├── BadTrajectory      checkpoints that are missing, broken, or not of one training
├── NoGapSamples       a strategy finds no sample that should weigh more; nothing was trained
├── TrainingDiverged   a loss or gradient was not finite; the last finite adapter is kept
├── OutOfMemory        one sample alone does not fit; what was trained by then is kept
├── AdapterMismatch    an adapter does not belong to the base it is put on
├── WorkerFailed       a model's own process ended, hung, or answered with something else
├── OutOfRoom          memory runs out however little is done at once
└── Cancelled          the work was stopped on request; what was finished is kept
"""

from data_cache.errors import DataError
from pid_core.errors import PidError


class RunnerError(Exception):
    """Base of everything that model_runners raises on purpose."""


class ModelNotFound(RunnerError):
    """The name is neither in the table, nor a folder with a model, nor a model of the hub."""


class UnsupportedModel(RunnerError):
    """The model was found but cannot be run here."""


class SelfTestFailed(RunnerError):
    """The model's masking was shown not to be clean; nothing was computed."""


class BadSample(RunnerError):
    """One sample cannot be run; a run goes on with the others."""

    def __init__(self, sample_id: str, reason: str):
        """Keep the sample beside the sentence.

        Parameters
        ----------
        sample_id
            Of the sample.
        reason
            What is wrong with it and what to do, without naming it.
        """
        super().__init__(sample_id, reason)  # both, so that it survives pickling
        self.sample_id = sample_id
        self.reason = reason

    def __str__(self) -> str:
        """Return one sentence."""
        return f"sample {self.sample_id!r}: {self.reason}"


class BadOption(RunnerError):
    """An option has a value that cannot be used."""


class SplitLeak(RunnerError):
    """A sample that is not of the train split was about to be trained on or scored for it."""


class BadTrajectory(RunnerError):
    """Checkpoints are missing, broken, or not of one training."""


class NoGapSamples(RunnerError):
    """A strategy found no sample that should weigh more than the rest."""


class TrainingDiverged(RunnerError):
    """A loss or a gradient was not finite; the last finite adapter is kept."""


class OutOfMemory(RunnerError):
    """Memory ran out with a single sample in a forward pass; what was trained by then is kept."""


class AdapterMismatch(RunnerError):
    """An adapter does not belong to the base it was to be put on, or cannot be put on it."""


class OutOfRoom(RunnerError):
    """Memory runs out even with one sequence at a time."""


class WorkerFailed(RunnerError):
    """A process that runs a model in another environment cannot go on; what it finished is kept."""


class Cancelled(RunnerError):
    """The work was stopped because somebody asked for it; what was finished is kept."""


USER_ERRORS = (RunnerError, DataError, PidError)
"""What a person can do something about: shown as one sentence, exit code 2."""
