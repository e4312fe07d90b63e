"""What a person can choose about a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from data_cache.benchmarks.source import Circular
from data_cache.benchmarks.splits import SplitPolicy
from data_cache.checkpoints import Checkpoint, checkpoint_from
from data_cache.conditions import PROBED, SENSED, SWAPPED, Condition
from data_cache.errors import CacheError
from model_runners.asking import Asking
from model_runners.benchmark_choice import FRAMES, MAX_BAD_SHARE, check_choice
from model_runners.errors import BadOption
from model_runners.image_size import LARGEST, SMALLEST
from model_runners.inference import POOLINGS, Pooling
from model_runners.lens_options import LOGIT, check_lens
from model_runners.loading import DType
from model_runners.placement import check_device_map
from model_runners.prompt import MASK_SCOPES, MaskScope
from model_runners.prompt_templates import AnswerStyle
from model_runners.quantisation import check_quantisation
from model_runners.sources import USUAL_SOURCES, SourcesName, sources_of
from model_runners.swapping import MOST_PARTNERS, PARTNERS, PROBES, WITHIN, Probe, Within


@dataclass(frozen=True, kw_only=True)
class ProfileOptions:
    """What a person can choose about a run."""

    kind: ClassVar[str] = "profile"
    """The kind of job that does it."""

    model: str
    benchmark: str
    """A name of the table, with a variant behind a colon, or the path of a file."""
    data: str | None = None
    """The file or folder that holds the benchmark; None looks in $LMUData and the hub's cache."""
    split_policy: SplitPolicy = "group"
    circular: Circular = "all"
    """Of questions that come with their options in several orders: which of them are asked."""
    frames: int = FRAMES
    """Pictures that are taken of a video, 1 to 64."""
    max_bad_rows: float = MAX_BAD_SHARE
    """Share of the benchmark's rows that may be bad, 0 to 1."""
    limit: int | None = None
    subset: str | None = None
    split: str = "all"
    """`train`, `test` or `all`."""
    draws: int = 4
    """Draws of noise per masked condition, 1 or more; 3 or more allow the jackknife."""
    seed: int = 0
    device: str = "auto"
    dtype: DType = "auto"
    device_map: str | None = None
    """Spread the model over all devices, one of `placement.DEVICE_MAPS`; None puts it on one."""
    quantise: str | None = None
    """Weights in `8bit` or `4bit`; None leaves them as the checkpoint has them."""
    batch_size: int | None = None
    probe: Probe = "gaussian"
    """What takes a source away: noise in its place, or that of another sample."""
    partners: int = PARTNERS
    """Of each question in a run of swaps, 1 to 64; 3 or more allow the correction."""
    partners_within: Within = "subset"
    """Who may be a partner, one of `swapping.WITHIN`."""
    swap_seed: int = 0
    layers: bool = False
    """Also read every layer through the lens."""
    lens: str = LOGIT
    """How layers are read: `logit`, `tuned` (the newest tuned lens that fits), or the beginning of
    a lens' key; other than `logit` implies `layers`."""
    layer_features: bool = False
    """Also keep what the positions of each modality hold after every layer; implies `layers`."""
    mask_scope: MaskScope = "all"
    answers: AnswerStyle = "letters"
    """How a question is put and what counts as its answers."""
    sources: SourcesName = USUAL_SOURCES
    """Which parts of the prompt are source 1 and source 2."""
    pooling: Pooling = "mean"
    """How X1 and X2 are made of the vectors of their modality."""
    image_size: int | None = None
    """Side in pixels of the square that every image is made first; None leaves images alone."""
    template: str | None = None
    """Text of the prompt's template, as `prompt_templates` describes it; None is the standard one
    of the answers."""
    trust_remote_code: bool = False
    """Whether code that comes with this model may be run."""
    checkpoint: Checkpoint | None = None
    """Which point of a training the model is; its results are stored under that name."""
    worker: str | None = None
    """Python of the environment that runs the model, where that is another one; None takes that of
    the model's entry, where it has one."""
    worker_adapter: str | None = None
    """How the model takes its inputs there: `cambrian`, `vita`, `llava` or a file; behind a colon
    the conversation template."""
    worker_code: str | None = None
    """The folder of the repository with the model's code."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense before a model is loaded."""
        if self.layer_features or self.lens != LOGIT:
            object.__setattr__(self, "layers", True)
        check_lens(self.lens)
        if isinstance(self.checkpoint, Mapping):  # as the request of a job has it
            try:
                object.__setattr__(self, "checkpoint", checkpoint_from(self.checkpoint))
            except CacheError as error:
                raise BadOption(str(error)) from error
        check_choice(self)
        for name, value in (
            ("draws", self.draws),
            ("batch size", self.batch_size),
            ("limit", self.limit),
        ):
            if value is not None and value < 1:
                raise BadOption(f"{name} must be 1 or more, not {value}")
        if self.image_size is not None and not SMALLEST <= self.image_size <= LARGEST:
            raise BadOption(
                f"image size must be {SMALLEST} to {LARGEST} pixels, not {self.image_size}"
            )
        if self.probe == "swap" and self.sources != USUAL_SOURCES:
            raise BadOption(
                "swapped pairs are of an image and a text; leave out --sources, or probe with noise"
            )
        check_device_map(self.device_map, device=self.device)
        check_quantisation(self.quantise)
        if self.split not in {"train", "test", "all"}:
            raise BadOption(f"split must be train, test or all, not {self.split!r}")
        for name, value, known in (
            ("mask scope", self.mask_scope, MASK_SCOPES),
            ("pooling", self.pooling, POOLINGS),
        ):
            if value not in known:
                raise BadOption(f"{name} must be one of {', '.join(known)}, not {value!r}")
        object.__setattr__(self, "template", self.asking.template)
        self._check_probe()

    def _check_probe(self) -> None:
        for name, value, known in (
            ("the probe", self.probe, PROBES),
            ("--partners-within", self.partners_within, tuple(WITHIN)),
        ):
            if value not in known:
                raise BadOption(f"{name} must be one of {', '.join(known)}, not {value!r}")
        if not 1 <= self.partners <= MOST_PARTNERS:
            raise BadOption(f"partners must be 1 to {MOST_PARTNERS}, not {self.partners}")
        if self.probe == "gaussian":
            return
        for is_asked, option in (
            (self.layers, "--layers, --lens and --layer-features"),
            (self.worker is not None, "--worker"),
            (self.sources != USUAL_SOURCES, "--sources"),
        ):
            if is_asked:
                raise BadOption(
                    f"the swap probe reads what the model puts out about image and text; leave out "
                    f"{option}, or --probe swap"
                )

    @property
    def repeats(self) -> int:
        """Draws of the probe: of noise, or rounds of swaps."""
        return self.partners if self.probe == "swap" else self.draws

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What each sample is shown as."""
        if self.probe == "swap":
            return SWAPPED
        return PROBED if sources_of(self.sources).second_medium is None else SENSED

    @property
    def asking(self) -> Asking:
        """How the questions are put.

        Raises
        ------
        BadOption
            If there are no such answers, or the template is none.
        """
        return Asking(answers=self.answers, template=self.template, sources=self.sources)
