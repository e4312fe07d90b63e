"""Where a model's processor comes from: transformers, or put together where that needs torchvision.

Many processors own a slot for videos whose classes need torchvision, even where only still images
are used. Tokenizer and image processor load without it from the same files. The model's own class
then does the rest with the slot left out, or, where that does not do, one of our own
(`processors_still.py`). What needs torchvision for its images is refused with the command that
installs the matching one.
"""

import importlib
from typing import Any

from model_runners.errors import UnsupportedModel
from model_runners.families import Family
from model_runners.processors_still import GridProcessor

VIDEO_SLOT = "video_processor"
"""Name of the part of a processor that is left out."""


def load_processor(location: str, family: Family | None = None, *, trusted: bool = False) -> Any:
    """Load the processor of a model from a folder or the hub.

    Where the checkpoint has no chat template, the family's is taken.

    Parameters
    ----------
    location
        A folder or a hub id.
    family
        Of the model; None where no file describes it.
    trusted
        Whether code that comes with the model may be run.

    Raises
    ------
    UnsupportedModel
        If the images need torchvision and it is not installed, or there is no image processor.
    OSError, ValueError, KeyError, ImportError
        As transformers raises them.
    """
    try:
        processor = _adapted(_processor(location, family, trusted), location)
    except (ImportError, ValueError) as error:
        if "torchvision" not in str(error).lower():
            raise
        raise UnsupportedModel(
            f"the images of the model in {location} need torchvision, which is not installed or "
            f"does not match torch; `{torchvision_command()}`"
        ) from error
    if not hasattr(processor, "image_processor") or not hasattr(processor, "tokenizer"):
        raise UnsupportedModel(
            f"the model in {location} has no processor for images (its files give a "
            f"{type(processor).__name__}); a model of images and text is needed"
        )
    if (
        family is not None
        and family.chat_template is not None
        and not getattr(processor, "chat_template", None)
    ):
        processor.chat_template = family.chat_template
    return processor


ADAPTED = {
    "FuyuProcessor": "model_runners.processors_fuyu",
    "InstructBlipProcessor": "model_runners.processors_qformer",
}
"""Class of transformers whose batches are wrong or fail -> module whose `adapt` replaces it."""


ASSEMBLED = {
    "Blip2Processor": "model_runners.processors_blip2",
    "Kimi_K25Processor": "model_runners.processors_kimi",
    "MiniCPMV4_6Processor": "model_runners.processors_minicpm",
    "PaliGemmaProcessor": "model_runners.processors_paligemma",
    "Phi4MultimodalProcessor": "model_runners.processors_phi4",
    "PixtralProcessor": "model_runners.processors_pixtral",
}
"""Class of transformers that cannot be used at all -> module whose `assemble` does without it."""
STILL = {"SmolVLMProcessor": "Idefics3Processor"}
"""Class of transformers that needs a package for videos -> the one that does the same for images.
"""


def _adapted(processor: Any, location: str) -> Any:
    module = ADAPTED.get(type(processor).__name__)
    if module is None:
        return processor
    return importlib.import_module(module).adapt(processor, location)


def _processor(location: str, family: Family | None, trusted: bool) -> Any:
    import transformers

    if family is not None and family.processor is not None:
        return importlib.import_module(family.processor).assemble(location, _settings(location))
    if trusted:
        return transformers.AutoProcessor.from_pretrained(location, trust_remote_code=True)
    # Pillow and not torchvision, everywhere: the same pixels give the same run key's numbers.
    choices: dict[str, Any] = {"backend": "pil", "trust_remote_code": False}
    name = _declared_class(location)
    if name in ASSEMBLED:
        return importlib.import_module(ASSEMBLED[name]).assemble(location, _settings(location))
    grid = None if family is None else family.image_grid
    kind = None if name is None else _class_named(STILL.get(name, name))
    if not grid and (
        kind is None or (VIDEO_SLOT not in kind.get_attributes() and name not in STILL)
    ):
        return transformers.AutoProcessor.from_pretrained(location, **choices)
    images = transformers.AutoImageProcessor.from_pretrained(location, **choices)
    tokenizer = transformers.AutoTokenizer.from_pretrained(location, trust_remote_code=False)
    if grid:
        assert family is not None
        return GridProcessor(
            image_processor=images,
            tokenizer=tokenizer,
            image_grid=grid,
            image_token=family.placeholder,
            chat_template=tokenizer.chat_template or _settings(location).get("chat_template"),
        )
    assert kind is not None
    parts: dict[str, Any] = {"image_processor": images, "tokenizer": tokenizer}
    slots: list[str] = kind.get_attributes()
    if "feature_extractor" in slots:
        parts["feature_extractor"] = transformers.AutoFeatureExtractor.from_pretrained(
            location, trust_remote_code=False
        )
    still = without_video_slot(kind)
    settings, _ = still.get_processor_dict(location)
    try:
        return still.from_args_and_dict([parts.get(slot) for slot in slots], settings)
    except AttributeError:  # the class reads its slot for videos: whole, or not at all
        return transformers.AutoProcessor.from_pretrained(location, trust_remote_code=False)


def _declared_class(location: str) -> str | None:
    """Return the processor class of transformers that a model's files or its type name, or None."""
    from transformers import AutoConfig, ImageProcessingMixin, ProcessorMixin
    from transformers.models.auto import processing_auto

    for read in (ProcessorMixin.get_processor_dict, ImageProcessingMixin.get_image_processor_dict):
        try:
            settings, _ = read(location)
        except (OSError, ValueError):
            continue  # there is no such file; the model's type says it too
        if "processor_class" in settings:
            return settings["processor_class"]
    try:
        kind = AutoConfig.from_pretrained(location, trust_remote_code=False).model_type
    except (OSError, ValueError):
        return None  # who loads the parts says what is missing
    return getattr(processing_auto, "PROCESSOR_MAPPING_NAMES").get(kind)  # noqa: B009 -- not exported


def _class_named(name: str) -> Any:
    from transformers.models.auto import processing_auto

    return processing_auto.processor_class_from_name(name)


def _settings(location: str) -> dict[str, Any]:
    """Return what processor_config.json says, with the chat template; empty where it is missing."""
    from transformers import ProcessorMixin

    try:
        return ProcessorMixin.get_processor_dict(location)[0]
    except (OSError, ValueError):
        return {}


def torchvision_command(torch_version: str | None = None) -> str:
    """Return the pip command that installs the torchvision of a torch, by default the installed.

    torchvision 0.(N + 15) is made for torch 2.N. A wheel for another torch, or for CUDA beside a
    torch for CPUs, cannot be imported, and its presence breaks transformers.

    >>> torchvision_command("2.13.0")
    'pip install "torch==2.13.0" "torchvision==0.28.*"'
    """
    if torch_version is None:
        import torch

        torch_version = str(torch.__version__)
    version, _, build = torch_version.partition("+")
    minor = int(version.split(".")[1]) + 15
    index = f" --index-url https://download.pytorch.org/whl/{build}" if build else ""
    return f'pip install "torch=={torch_version}" "torchvision==0.{minor}.*"{index}'


def without_video_slot(base: Any) -> Any:
    """Return a processor class that is a class of transformers without its slot for videos.

    Its files are the ordinary ones, and the ordinary class loads them where torchvision is.

    Parameters
    ----------
    base
        A processor class of transformers.
    """
    from transformers import ProcessorMixin

    slots: list[str] = base.get_attributes()

    class StillImages(ProcessorMixin):
        """Takes the parts by name, so that the slot may stand anywhere among them."""

        def __init__(self, *args: Any, **keywords: Any):
            given = {**dict(zip(slots, args, strict=False)), **keywords}
            given.pop(VIDEO_SLOT, None)
            super().__init__(**given)

    def get_attributes(cls: type) -> list[str]:
        return [slot for slot in slots if slot != VIDEO_SLOT]

    # The name is written to the files. The class of transformers hands its parts to the next one.
    return type(base.__name__, (base, StillImages), {"get_attributes": classmethod(get_attributes)})
