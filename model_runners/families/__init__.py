"""The table of model families: one line per `model_type`, loaded only when a model needs it."""

import importlib
from dataclasses import dataclass

from model_runners.errors import UnsupportedModel

FAMILIES: dict[str, str] = {
    "aya_vision": "model_runners.families.aya_vision",
    "blip-2": "model_runners.families.blip_2",
    "blip-2_t5": "model_runners.families.blip_2_t5",
    "deepseek_vl": "model_runners.families.deepseek_vl",
    "fuyu": "model_runners.families.fuyu",
    "gemma3": "model_runners.families.gemma3",
    "gemma4": "model_runners.families.gemma4",
    "glm4v": "model_runners.families.glm4v",
    "idefics3": "model_runners.families.idefics3",
    "instructblip": "model_runners.families.instructblip",
    "instructblip_t5": "model_runners.families.instructblip_t5",
    "internvl": "model_runners.families.internvl",
    "internvl_chat": "model_runners.families.internvl_chat",
    "kimi_k25": "model_runners.families.kimi_k25",
    "llava": "model_runners.families.llava",
    "llava_next": "model_runners.families.llava_next",
    "llava_onevision": "model_runners.families.llava_onevision",
    "minicpmv4_6": "model_runners.families.minicpmv4_6",
    "mistral3": "model_runners.families.mistral3",
    "mllama": "model_runners.families.mllama",
    "ovis2": "model_runners.families.ovis2",
    "paligemma": "model_runners.families.paligemma",
    "phi4_multimodal": "model_runners.families.phi4_multimodal",
    "qwen2_5_omni_thinker": "model_runners.families.qwen2_5_omni",
    "qwen2_5_vl": "model_runners.families.qwen2_5_vl",
    "qwen2_vl": "model_runners.families.qwen2_vl",
    "qwen3_5": "model_runners.families.qwen3_5",
    "qwen3_vl": "model_runners.families.qwen3_vl",
    "qwen3_vl_moe": "model_runners.families.qwen3_vl_moe",
    "smolvlm": "model_runners.families.smolvlm",
}
"""transformers' `model_type` -> module with a constant `FAMILY`."""
PART_OF = {"qwen2_5_omni": "qwen2_5_omni_thinker"}
"""`model_type` of a model that answers and speaks -> that of its part that answers, which is loaded
alone."""


@dataclass(frozen=True, kw_only=True)
class ReadsText:
    """How the encoder of images reads the prompt, in families where it does."""

    words: str
    """Name of the model input with (B, W) tokens of the prompt, each row padded on the right."""
    embedder: str
    """Dotted path of the module whose output ends in the W vectors of these tokens."""
    tower: str
    """Dotted path of the module that sees the pixels and no words."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """What is particular to a family; everything else is shared, and the defaults are the rule."""

    name: str
    """As papers write it."""
    model_type: str
    """As in config.json; followed by `_` and the language model's own type, where both decide."""
    stack: str = "model.language_model"
    """Dotted path of the module that owns the decoder layers, or reads for a decoder."""
    layers: str = "layers"
    """Attribute of the stack, or of its decoder: the list of decoder layers."""
    norm: str = "norm"
    """Attribute of the stack, or of its decoder: the final norm."""
    image_token: str = "image_token_id"
    """Attribute of the configuration, or a dotted path: the id of the image placeholder."""
    pixel_inputs: tuple[str, ...] = ("pixel_values",)
    """Names of the model inputs that carry pixels."""
    takes_encoder_outputs: bool = False
    """Whether forward accepts `mm_encoder_outputs`, so that an image is encoded only once."""
    stacks_features: bool = False
    """Whether encoded images are one tensor with a row per image instead of a list of tensors."""
    image_rows: tuple[str, ...] = ()
    """Names of the other model inputs with one row per image that the vision tower takes, where the
    processor makes them."""
    image_grid: str | None = None
    """Name of the model input that holds (images, 3) patches in time, height and width.

    Such a family takes images of any size as one long row of patches, and its processor in
    transformers needs torchvision for a slot that still images never use: it is put together here
    instead (`processors_still.py`).
    """
    placeholder: str | None = None
    """What stands for an image in a prompt of such a family; None is what the tokenizer names, else
    `<|image_pad|>`."""
    chat_template: str | None = None
    """Jinja template of the prompt where a checkpoint brings none; its own goes first."""
    reads_text: ReadsText | None = None
    """Set where an image becomes other vectors under another prompt (`readers.py`)."""
    merge: str | None = None
    """Dotted path of the part that puts out the merged embeddings, where the stack is handed tokens
    and pixels and merges them itself."""
    own_adapter: str | None = None
    """Folder within a checkpoint with a LoRA that belongs to the model where images are shown."""
    processor: str | None = None
    """Module whose `assemble` puts the processor together, where checkpoints have none."""
    told_placeholder: str | None = None
    """Attribute of the model that must be given the placeholder's id; configurations lack it."""
    model_class: str | None = None
    """Class of transformers that loads the part which answers; None takes the automatic one."""
    decoder: str | None = None
    """Dotted path of the half of an encoder-decoder that answers; the stack is its encoder."""
    without_image: str | None = None
    """Dotted path of the part that takes a prompt without an image, where the model needs one."""
    is_written: bool = True
    """False where no file describes the model and it was recognised (`recognition.py`)."""


def is_written(model_type: str, language: str | None = None) -> bool:
    """Whether a file describes a `model_type`, in general or with such a language model."""
    model_type = PART_OF.get(model_type, model_type)
    return model_type in FAMILIES or f"{model_type}_{language}" in FAMILIES


def load_family(model_type: str, language: str | None = None) -> Family:
    """Return the family of a `model_type`.

    Parameters
    ----------
    model_type
        As in config.json.
    language
        The type of its language model: some families have a line of their own for one.

    Raises
    ------
    UnsupportedModel
        If the table has no such line.
    """
    model_type = PART_OF.get(model_type, model_type)
    module = FAMILIES.get(f"{model_type}_{language}", FAMILIES.get(model_type))
    if module is None:
        raise UnsupportedModel(
            f"models of type {model_type!r} have no family file yet; "
            f"known types: {', '.join(sorted(FAMILIES))} "
            "(docs/adding-a-family.md says how to add one)"
        )
    return importlib.import_module(module).FAMILY
