"""What can be chosen about how a model comes into memory, alike for everything that loads one."""

from dataclasses import dataclass
from typing import Any, Protocol

from model_runners.hub import UNWATCHED, Watch
from model_runners.loading import DType, LoadedModel, load


class AsksModel(Protocol):
    """Options of a run, a lens or a training."""

    @property
    def model(self) -> str:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def device(self) -> str:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def dtype(self) -> DType:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def device_map(self) -> str | None:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def quantise(self) -> str | None:  # noqa: D102 - as `ProfileOptions` has it
        ...
    @property
    def trust_remote_code(self) -> bool:  # noqa: D102 - as `ProfileOptions` has it
        ...


@dataclass(frozen=True, kw_only=True)
class Where:
    """How the model of a stored run is loaded again, where the run's record leaves that open."""

    device: str = "auto"
    device_map: str | None = None
    quantise: str | None = None
    """None takes the run's own; another one is refused, as it would be another model."""
    trust_remote_code: bool = False

    @classmethod
    def of(cls, options: Any) -> "Where":
        """Return what options with these names say."""
        return cls(
            device=options.device,
            device_map=options.device_map,
            quantise=options.quantise,
            trust_remote_code=options.trust_remote_code,
        )


def load_asked(
    options: AsksModel, *, model: str | None = None, watch: Watch = UNWATCHED
) -> LoadedModel:
    """Load the model of options as they ask for it; see `loading.load`.

    Parameters
    ----------
    options
        What is asked for.
    model
        Another model in the same way, such as an adapter on the one of the options.
    watch
        Who is told of a download.
    """
    return load(
        options.model if model is None else model,
        device=options.device,
        dtype=options.dtype,
        device_map=options.device_map,
        quantise=options.quantise,
        trust_remote_code=options.trust_remote_code,
        watch=watch,
    )


def said_of(options: AsksModel) -> list[str]:
    """Return the arguments that load a model in the same way; nothing of what is usual.

    >>> from model_runners.profile_options import ProfileOptions
    >>> said_of(ProfileOptions(model="m", benchmark="b", trust_remote_code=True))
    ['--trust-remote-code']
    """
    named = {"--device-map": options.device_map, "--quantize": options.quantise}
    said = [f"{name} {value}" for name, value in named.items() if value is not None]
    return [*said, *(["--trust-remote-code"] if options.trust_remote_code else [])]
