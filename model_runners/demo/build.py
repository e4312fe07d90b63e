"""What every small demo model is built from: sizes, a tokenizer of its own, files in HF layout."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True, kw_only=True)
class AbstractTinyModel(ABC):
    """Size of a small model of one family, and how such a model is built and fed."""

    hidden: int = 64
    """Width of tower and language model."""
    vision_layers: int = 3
    language_layers: int = 4
    heads: int = 4
    vocabulary: int = 512
    phrases: bool = False
    """Make what stands between numbers and line ends in the corpus one token each: a prompt is
    half as long then and trained on in a third of the time. What else is written is spelled in
    bytes."""

    @abstractmethod
    def build_processor(self, corpus: Iterable[str]) -> Any:
        """Train a tokenizer on a corpus and put it beside an image processor."""

    def phrases_of(self, corpus: Iterable[str], *written: str) -> list[str]:
        """Return the phrases of a corpus, or none where these are no tokens of their own.

        Parameters
        ----------
        corpus
            Texts of prompts.
        written
            What the chat template writes itself.
        """
        if not self.phrases:
            return []
        pieces = {piece for text in corpus for piece in re.findall(r"\n?[^\d\n]+", text)}
        return sorted({*written, *(piece for piece in pieces if len(piece) > 1)})

    @abstractmethod
    def build_model(self, processor: Any, *, seed: int) -> Any:
        """Build the model with random weights of a fixed seed."""

    @abstractmethod
    def tower_inputs(self, pixels: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Return what the vision tower takes of (n, 3, side, side) normalised pixels."""

    def token_inputs(self, vision: "torch.Tensor") -> "dict[str, torch.Tensor]":
        """Return what the model takes besides tokens, where `vision` (B, L) are image positions."""
        del vision
        return {}

    @abstractmethod
    def tower_parts(self, model: Any) -> "list[nn.Module]":
        """Return the modules between pixels and the language model."""

    @abstractmethod
    def projector_parts(self, model: Any) -> "list[nn.Module]":
        """Return those of them that turn what the tower saw into vectors of the language model."""


def build_tokenizer(
    corpus: Iterable[str],
    vocabulary: int,
    special: Mapping[str, str],
    *,
    phrases: Sequence[str] = (),
    **more: str,
) -> "PreTrainedTokenizerFast":
    """Train a byte-level BPE tokenizer.

    Parameters
    ----------
    corpus
        What it has to spell.
    vocabulary
        Number of tokens.
    special
        Role to token, in the order of their ids, for example `pad_token` to `<pad>`.
    phrases
        Texts that are one token each, beside the bytes; where there are some, nothing is merged.
    more
        Roles that only this family has, such as `image_token`; their tokens follow.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(unk_token=None))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=not phrases)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=0 if phrases else vocabulary,
            special_tokens=[*special.values(), *more.values()],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    core.add_tokens([AddedToken(phrase, normalized=False) for phrase in phrases])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        extra_special_tokens=dict(more),
        padding_side="left",
        **special,
    )


def save(model: Any, processor: Any, folder: Path) -> None:
    """Write the ordinary Hugging Face layout: config, safetensors, tokenizer, processor."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, safe_serialization=True)
    processor.save_pretrained(folder)
