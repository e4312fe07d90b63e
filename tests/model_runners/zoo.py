"""One tiny random model per family, with a processor put together from parts; no download.

Weights are drawn larger than transformers initialises them: at its own scale a few random layers
hardly let an image move a logit, and a leak would hide below the tolerance.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer, save
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import CHAT_TEMPLATE, TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import MERGE, PATCH, TEMPORAL, TinyQwen2_5_VL
from model_runners.loading import LoadedModel, load
from model_runners.processors import without_video_slot

WIDTH = 32
HEADS = 2
LAYERS = 3
PATCH_SIDE = 8
LAYERS_OF_BOTH_KINDS = ["sliding_attention", "full_attention", "sliding_attention"]
GREY: dict[str, Any] = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
TILINGS = [[IMAGE_SIDE, 2 * IMAGE_SIDE], [2 * IMAGE_SIDE, IMAGE_SIDE], [IMAGE_SIDE, IMAGE_SIDE]]
"""Height and width in pixels of the canvases that an image may be cut from."""


def _tokenizer(image_token: str, **more: str) -> Any:
    special = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    corpus = tokenizer_corpus()[:64]
    return build_tokenizer(corpus, 512, special, image_token=image_token, **more)


def _tower(model_type: str, **more: Any) -> dict[str, Any]:
    """Return a vision tower of 4 x 4 patches."""
    return {
        "model_type": model_type,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": HEADS,
        "image_size": IMAGE_SIDE,
        "patch_size": PATCH_SIDE,
        **more,
    }


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
    """Return what the language model of every family is told."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 512,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        **more,
    }


def _llava() -> tuple[Any, Any]:
    size = TinyLlava(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def _llava_next() -> tuple[Any, Any]:
    from transformers import (
        LlavaNextConfig,
        LlavaNextForConditionalGeneration,
        LlavaNextImageProcessorPil,
        LlavaNextProcessor,
    )

    tokenizer = _tokenizer("<image>")
    processor = LlavaNextProcessor(
        image_processor=LlavaNextImageProcessorPil(
            size={"shortest_edge": IMAGE_SIDE},
            crop_size={"height": IMAGE_SIDE, "width": IMAGE_SIDE},
            image_grid_pinpoints=TILINGS,
            **GREY,
        ),
        tokenizer=tokenizer,
        patch_size=PATCH_SIDE,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    config = LlavaNextConfig(
        vision_config=_tower("clip_vision_model", projection_dim=WIDTH),
        text_config=_text(tokenizer, model_type="llama"),
        image_token_index=processor.image_token_id,
        image_grid_pinpoints=TILINGS,
        vision_feature_layer=-1,
    )
    return LlavaNextForConditionalGeneration(config), processor


def _llava_onevision() -> tuple[Any, Any]:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessorPil,
        LlavaOnevisionProcessor,
    )

    tokenizer = _tokenizer("<image>", video_token="<video>")
    processor = without_video_slot(LlavaOnevisionProcessor)(
        image_processor=LlavaOnevisionImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE},
            image_grid_pinpoints=TILINGS,
            **GREY,
        ),
        tokenizer=tokenizer,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=CHAT_TEMPLATE,
    )
    config = LlavaOnevisionConfig(
        vision_config=_tower("siglip_vision_model", vision_use_head=False),
        text_config=_text(tokenizer, model_type="qwen2"),
        image_token_index=processor.image_token_id,
        video_token_index=processor.video_token_id,
        image_grid_pinpoints=TILINGS,
    )
    return LlavaOnevisionForConditionalGeneration(config), processor


def _internvl() -> tuple[Any, Any]:
    from transformers import (
        GotOcr2ImageProcessorPil,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
    )

    tokenizer = _tokenizer(
        "<IMG_CONTEXT>",
        context_image_token="<IMG_CONTEXT>",
        start_image_token="<img>",
        end_image_token="</img>",
        video_token="<video>",
    )
    processor = without_video_slot(InternVLProcessor)(
        image_processor=GotOcr2ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, max_patches=2, **GREY
        ),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<IMG_CONTEXT>"),
    )
    config = InternVLConfig(
        vision_config={
            **_tower("internvl_vision"),
            "image_size": [IMAGE_SIDE, IMAGE_SIDE],
            "patch_size": [PATCH_SIDE, PATCH_SIDE],
        },
        text_config=_text(tokenizer, model_type="qwen2"),
        image_token_id=processor.image_token_id,
        image_seq_length=4,
    )
    return InternVLForConditionalGeneration(config), processor


def _gemma3() -> tuple[Any, Any]:
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessorPil,
        Gemma3Processor,
    )

    tokenizer = _tokenizer(
        "<image_soft_token>", boi_token="<start_of_image>", eoi_token="<end_of_image>"
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, **GREY
        ),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<start_of_image>"),
    )
    config = Gemma3Config(
        vision_config=_tower("siglip_vision_model", vision_use_head=False),
        text_config=_text(
            tokenizer, head_dim=16, sliding_window=8, layer_types=LAYERS_OF_BOTH_KINDS
        ),
        mm_tokens_per_image=4,
        image_token_index=tokenizer.image_token_id,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
    )
    return Gemma3ForConditionalGeneration(config), processor


def _gemma4() -> tuple[Any, Any]:
    from transformers import (
        Gemma4AudioFeatureExtractor,
        Gemma4Config,
        Gemma4ForConditionalGeneration,
        Gemma4ImageProcessorPil,
        Gemma4Processor,
    )

    tokenizer = _tokenizer(
        "<|image|>",
        boi_token="<|image>",
        eoi_token="<image|>",
        audio_token="<|audio|>",
        boa_token="<|audio>",
        eoa_token="<audio|>",
    )
    processor = without_video_slot(Gemma4Processor)(
        feature_extractor=Gemma4AudioFeatureExtractor(),
        image_processor=Gemma4ImageProcessorPil(
            patch_size=PATCH, pooling_kernel_size=MERGE, max_soft_tokens=70
        ),
        tokenizer=tokenizer,
        video_processor=None,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|image|>"),
    )
    token = tokenizer.convert_tokens_to_ids
    config = Gemma4Config(
        vision_config={
            **_tower("gemma4_vision"),
            "num_key_value_heads": HEADS,
            "head_dim": 16,
            "patch_size": PATCH,
            "pooling_kernel_size": MERGE,
            "position_embedding_size": 64,
        },
        text_config=_text(
            tokenizer,
            head_dim=16,
            global_head_dim=16,
            sliding_window=8,
            layer_types=["sliding_attention", "sliding_attention", "full_attention"],
            vocab_size_per_layer_input=len(tokenizer),
            hidden_size_per_layer_input=8,
            final_logit_softcapping=5.0,
        ),
        audio_config=None,
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
        audio_token_id=token("<|audio|>"),
        boi_token_id=token("<|image>"),
        eoi_token_id=token("<image|>"),
        boa_token_id=token("<|audio>"),
        eoa_token_index=token("<audio|>"),
    )
    return Gemma4ForConditionalGeneration(config), processor


def _qwen2_5_vl() -> tuple[Any, Any]:
    size = TinyQwen2_5_VL(hidden=WIDTH, vision_layers=2, language_layers=LAYERS, heads=HEADS)
    processor = size.build_processor(tokenizer_corpus()[:64])
    return size.build_model(processor, seed=0), processor


def _qwen2_vl() -> tuple[Any, Any]:
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    processor = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    token = processor.tokenizer.convert_tokens_to_ids
    config = Qwen2VLConfig(
        vision_config={
            "depth": 2,
            "embed_dim": WIDTH,
            "hidden_size": WIDTH,
            "num_heads": HEADS,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL,
        },
        text_config=_text(
            processor.tokenizer,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 2, 2],
            },
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return Qwen2VLForConditionalGeneration(config), processor


def _qwen3_vl() -> tuple[Any, Any]:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    processor, config = _like_qwen3_vl(Qwen3VLConfig)
    return Qwen3VLForConditionalGeneration(config), processor


def _qwen3_vl_moe() -> tuple[Any, Any]:
    from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

    processor, config = _like_qwen3_vl(
        Qwen3VLMoeConfig, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=WIDTH
    )
    return Qwen3VLMoeForConditionalGeneration(config), processor


def _like_qwen3_vl(kind: Any, **experts: int) -> tuple[Any, Any]:
    """Return processor and configuration; the tower's first two layers reach the text stack."""
    processor = TinyQwen2_5_VL().build_processor(tokenizer_corpus()[:64])
    token = processor.tokenizer.convert_tokens_to_ids
    config = kind(
        vision_config={
            "depth": 3,
            "hidden_size": WIDTH,
            "out_hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_heads": HEADS,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0, 1],
        },
        text_config=_text(
            processor.tokenizer,
            head_dim=16,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
            **experts,
        ),
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    return processor, config


def _mllama() -> tuple[Any, Any]:
    import torch
    from transformers import (
        MllamaConfig,
        MllamaForConditionalGeneration,
        MllamaImageProcessorPil,
        MllamaProcessor,
    )

    tokenizer = _tokenizer("<|image|>")
    processor = MllamaProcessor(
        image_processor=MllamaImageProcessorPil(
            size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}, max_image_tiles=2, **GREY
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE.replace("<image>", "<|image|>"),
    )
    config = MllamaConfig(
        vision_config={
            "hidden_size": WIDTH,
            "num_hidden_layers": 2,
            "num_global_layers": 1,
            "attention_heads": HEADS,
            "intermediate_size": 2 * WIDTH,
            "vision_output_dim": 2 * WIDTH,
            "image_size": IMAGE_SIDE,
            "patch_size": PATCH_SIDE,
            "max_num_tiles": 2,
            "intermediate_layers_indices": [0],
            "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]],
        },
        # The last layer is one of those that a prompt without an image leaves out; the first never
        # is, since transformers reads the length of what is cached from it.
        text_config=_text(tokenizer, cross_attention_layers=[1, 2]),
        image_token_index=tokenizer.image_token_id,
    )
    model = MllamaForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("gate"):
                weight.fill_(1.0)  # cross-attention begins shut
    return model, processor


def _fuyu() -> tuple[Any, Any]:
    from transformers import FuyuConfig, FuyuForCausalLM, FuyuImageProcessorPil, FuyuProcessor
    from transformers.image_utils import SizeDict

    special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = build_tokenizer(
        tokenizer_corpus()[:64],
        512,
        special,
        patch="|SPEAKER|",
        newline="|NEWLINE|",
        answer="<0x04>",
    )
    processor = FuyuProcessor(
        image_processor=FuyuImageProcessorPil(
            size={"height": 2 * IMAGE_SIDE, "width": 2 * IMAGE_SIDE},
            patch_size=SizeDict(height=PATCH_SIDE, width=PATCH_SIDE),
        ),
        tokenizer=tokenizer,
    )
    config = FuyuConfig(
        image_size=IMAGE_SIDE,
        patch_size=PATCH_SIDE,
        image_token_id=processor.image_token_id,
        text_config=_text(tokenizer, model_type="persimmon"),
    )
    return FuyuForCausalLM(config), processor


def _instructblip(text: Callable[[Any], dict[str, Any]], special: dict[str, str], form: str) -> Any:
    """Return an InstructBLIP; `form` is how its tokenizer surrounds a text, `$A`."""
    import string

    from tokenizers.processors import TemplateProcessing
    from transformers import (
        BertTokenizer,
        BlipImageProcessorPil,
        InstructBlipConfig,
        InstructBlipForConditionalGeneration,
        InstructBlipProcessor,
    )

    letters = [*string.ascii_lowercase, *string.digits]
    reads = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *string.punctuation]
    reads += [f"##{letter}" for letter in letters]
    words = BertTokenizer(vocab={token: index for index, token in enumerate(reads)})
    tokenizer = build_tokenizer(tokenizer_corpus()[:64], 512, special)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=form,
        special_tokens=[(t, tokenizer.convert_tokens_to_ids(t)) for t in special.values()],
    )
    processor = InstructBlipProcessor(
        image_processor=BlipImageProcessorPil(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE}),
        tokenizer=tokenizer,
        qformer_tokenizer=words,
        num_query_tokens=4,
    )
    config = InstructBlipConfig(
        vision_config=_tower("instructblip_vision_model"),
        qformer_config={
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": HEADS,
            "max_position_embeddings": 512,
        },
        text_config=text(tokenizer),
        num_query_tokens=4,
        image_token_index=tokenizer.get_vocab()["<image>"],
    )
    return InstructBlipForConditionalGeneration(config), processor


def _instructblip_llama() -> tuple[Any, Any]:
    return _instructblip(
        lambda tokenizer: _text(tokenizer, model_type="llama"),
        {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"},
        "<s> $A",
    )


def _instructblip_t5() -> tuple[Any, Any]:
    def text(tokenizer: Any) -> dict[str, Any]:
        return {
            "model_type": "t5",
            "vocab_size": len(tokenizer) + 3,  # as real checkpoints have it, and the image token
            "d_model": WIDTH,
            "d_kv": WIDTH // HEADS,
            "d_ff": 2 * WIDTH,
            "num_layers": LAYERS - 1,
            "num_decoder_layers": LAYERS,
            "num_heads": HEADS,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "decoder_start_token_id": tokenizer.pad_token_id,
        }

    return _instructblip(text, {"pad_token": "<pad>", "eos_token": "</s>"}, "$A </s>")


TINY: dict[str, Callable[[], tuple[Any, Any]]] = {
    "fuyu": _fuyu,
    "gemma3": _gemma3,
    "gemma4": _gemma4,
    "instructblip": _instructblip_llama,
    "instructblip_t5": _instructblip_t5,
    "internvl": _internvl,
    "llava": _llava,
    "llava_next": _llava_next,
    "llava_onevision": _llava_onevision,
    "mllama": _mllama,
    "qwen2_5_vl": _qwen2_5_vl,
    "qwen2_vl": _qwen2_vl,
    "qwen3_vl": _qwen3_vl,
    "qwen3_vl_moe": _qwen3_vl_moe,
}
"""`model_type` -> a function that returns model and processor; one line per line of `FAMILIES`."""


Builders = Mapping[str, Callable[[], tuple[Any, Any]]]


def build(model_type: str, folder: Path, *, models: Builders = TINY) -> Path:
    """Write a tiny model of a family in the ordinary layout and return its folder."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, processor = models[model_type]()
        _strengthen(model)
    save(model.eval(), processor, folder)
    return folder


def loaded_once(folder: Path, *, models: Builders = TINY) -> Callable[[str], LoadedModel]:
    """Return a function that builds a tiny model below a folder and loads it, each once."""

    @cache
    def get(model_type: str) -> LoadedModel:
        return load(str(build(model_type, folder / model_type, models=models)), device="cpu")

    return get


def _strengthen(model: Any) -> None:
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                weight.normal_(std=0.5 if "embed_tokens" in name else 0.15)
    model.tie_weights()
