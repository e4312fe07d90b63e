"""Tiny InstructBLIPs, whose Q-Former reads the question too; one decodes with T5."""

from collections.abc import Callable
from typing import Any

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from model_runners.demo.build import build_tokenizer
from model_runners.demo.recipes import tokenizer_corpus
from tests.model_runners.tiny.parts import HEADS, LAYERS, WIDTH, text_settings, vision_settings


def instructblip(text: Callable[[Any], dict[str, Any]], special: dict[str, str], form: str) -> Any:
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
        vision_config=vision_settings("instructblip_vision_model"),
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


def instructblip_llama() -> tuple[Any, Any]:
    return instructblip(
        lambda tokenizer: text_settings(tokenizer, model_type="llama"),
        {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"},
        "<s> $A",
    )


def t5_settings(tokenizer: Any) -> dict[str, Any]:
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


def instructblip_t5() -> tuple[Any, Any]:
    return instructblip(t5_settings, {"pad_token": "<pad>", "eos_token": "</s>"}, "$A </s>")
