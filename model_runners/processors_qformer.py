"""How prompts and images become inputs of a model whose Q-Former reads the prompt too.

transformers' `InstructBlipProcessor` writes the image tokens in front of a prompt that is padded
already, so that padding lies between image and text, and it pads what the Q-Former reads on the
left, where positions are absolute: a sample's numbers then depend on its batch. Here the padding is
outside of everything, and the Q-Former's own on the right, as for one prompt alone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import PIL.Image


class QFormerProcessor:
    """The parts of an `InstructBlipProcessor`, with batches that equal single prompts."""

    images_per_prompt = 1

    def __init__(self, processor: Any, *, words: int, start: int | None):
        """Take the parts.

        Parameters
        ----------
        processor
            An `InstructBlipProcessor` of transformers.
        words
            Word positions of the Q-Former; longer prompts are cut for it, not for the language
            model.
        start
            The token that an encoder-decoder's answers follow; None for a decoder-only model.
        """
        self.image_processor = processor.image_processor
        self.tokenizer = processor.tokenizer
        self.qformer_tokenizer = processor.qformer_tokenizer
        self.image_token = str(processor.image_token)
        self.image_token_id: int = self.tokenizer.convert_tokens_to_ids(self.image_token)
        self.chat_template: Any = getattr(processor, "chat_template", None)
        self._queries: int = processor.num_query_tokens
        self._words = words
        self._start = start

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render messages."""
        options.setdefault("chat_template", self.chat_template)
        return self.tokenizer.apply_chat_template(conversation, **options)

    def __call__(
        self,
        *,
        text: Sequence[str],
        images: "Sequence[Sequence[PIL.Image.Image]] | None" = None,
        add_special_tokens: bool = True,
        **_: Any,
    ) -> "dict[str, Any]":
        """Return model inputs and the character offsets of both token sequences.

        Parameters
        ----------
        text
            B prompts, each with one placeholder where there are images.
        images
            One image for each prompt.
        add_special_tokens
            Whether the language model's tokenizer adds its own.

        Returns
        -------
        dict
            Besides what the model takes, `offset_mapping` (B, L, 2) and `read_offset_mapping`
            (B, W, 2): characters of the prompt without its placeholder; nothing for image tokens.
        """
        import torch

        bare = [prompt.replace(self.image_token, "") for prompt in text]
        spelled = self.tokenizer(
            bare,
            add_special_tokens=add_special_tokens,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            padding=False,
        )
        front = 0 if images is None else self._queries
        rows: list[tuple[list[int], list[tuple[int, int]]]] = []
        for row, prompt in enumerate(bare):
            end = (len(prompt), len(prompt))
            offsets = [tuple(offset) for offset in spelled["offset_mapping"][row]]
            special = spelled["special_tokens_mask"][row]
            if special and special[-1]:  # T5's end of text, which tokenizers places at 0
                offsets[-1] = end
            rows.append(
                (
                    [self.image_token_id] * front + list(spelled["input_ids"][row]),
                    [(0, 0)] * front + offsets,
                )
            )
        encoded: dict[str, Any] = pad_left(rows, self.tokenizer.pad_token_id or 0)
        read = self.qformer_tokenizer(
            bare,
            padding=True,
            padding_side="right",
            truncation=True,
            max_length=self._words,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        encoded["read_offset_mapping"] = read["offset_mapping"]
        for name in ("input_ids", "attention_mask"):
            encoded[f"qformer_{name}"] = read[name]
        if images is not None:
            pictures = [image for of_prompt in images for image in of_prompt]
            encoded |= dict(self.image_processor(pictures, return_tensors="pt"))
        if self._start is not None:
            encoded["decoder_input_ids"] = torch.full((len(bare), 1), self._start)
        return encoded


def pad_left(
    rows: Sequence[tuple[list[int], list[tuple[int, int]]]], padding: int
) -> "dict[str, Any]":
    """Return (B, L) tokens, their attention mask and (B, L, 2) offsets, padded on the left."""
    import torch

    longest = max(len(tokens) for tokens, _ in rows)
    gaps = [longest - len(tokens) for tokens, _ in rows]
    pairs = list(zip(gaps, rows, strict=True))
    return {
        "input_ids": torch.tensor([[padding] * gap + tokens for gap, (tokens, _) in pairs]),
        "attention_mask": torch.tensor([[0] * gap + [1] * (longest - gap) for gap in gaps]),
        "offset_mapping": torch.tensor([[(0, 0)] * gap + spans for gap, (_, spans) in pairs]),
    }


def adapt(processor: Any, location: str) -> QFormerProcessor:
    """Take the place of an `InstructBlipProcessor`; the model's configuration says the rest."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(location, trust_remote_code=False)
    if processor.num_query_tokens is None:
        processor.num_query_tokens = config.num_query_tokens
    return QFormerProcessor(
        processor,
        words=config.qformer_config.max_position_embeddings,
        start=None
        if config.use_decoder_only_language_model
        else config.text_config.decoder_start_token_id,
    )
