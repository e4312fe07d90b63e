"""What the two estimators that train share before torch: settings and checks of the input."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from jaxtyping import Float

from pid_core.channels import Channels
from pid_core.errors import ChannelError, PidError


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the network is built and trained; the defaults are Xiu26's table 6."""

    hidden: int = 32
    """Width of the hidden layers."""
    hidden_layers: int = 4
    """The paper says "3-layer MLP"; its code has an input layer, 3 more and an output layer."""
    embedding: int = 10
    """Numbers per sample and class."""
    learning_rate: float = 1e-3
    """Of Adam."""
    epochs: int = 8
    """Passes over the training samples; 0 leaves the network as it was drawn."""
    batch: int = 256
    """Samples per step, and in `batch_reference` per evaluation."""

    def __post_init__(self) -> None:
        for name in ("hidden", "hidden_layers", "batch"):
            if getattr(self, name) < 1:
                raise PidError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.epochs < 0:
            raise PidError(f"epochs must be 0 or more, got {self.epochs}")
        if self.embedding < 2:
            raise PidError(f"embedding must be at least 2 numbers, got {self.embedding}")
        if not self.learning_rate > 0.0:
            raise PidError(f"learning_rate must be positive, got {self.learning_rate}")


def needs_torch(module: str) -> ModuleType:
    """Import a module of pid_core that needs torch.

    Raises
    ------
    PidError
        If torch is not installed; the message has the command that installs it.
    """
    if importlib.util.find_spec("torch") is None:
        raise PidError("estimators that train a network need torch; pip install torch")
    return importlib.import_module(module)


def features_of(channels: Channels, estimator: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of both sources.

    Raises
    ------
    ChannelError
        If there are none.
    """
    if channels.features_1 is None or channels.features_2 is None:
        raise ChannelError(
            f"the estimator {estimator!r} trains a network on embeddings: hand in features_1 and "
            "features_2"
        )
    return channels.features_1, channels.features_2


def check_widths(
    features: tuple[Float[np.ndarray, "samples _"], Float[np.ndarray, "samples _"]],
    train: tuple[Float[np.ndarray, "others _"], Float[np.ndarray, "others _"]],
) -> None:
    """Refuse training samples whose features have another width.

    Raises
    ------
    ChannelError
        With both widths.
    """
    for source in (0, 1):
        here, there = features[source].shape[1], train[source].shape[1]
        if here != there:
            raise ChannelError(
                f"features_{source + 1} have {here} columns and those of the training samples "
                f"{there}; both must come from the same model"
            )
