"""The input path of repositories that grew out of the first LLaVA code, and of nothing else.

Such a model has `prepare_inputs_labels_for_multimodal`: its tokens carry a sentinel where an image
is, and this function puts the image's vectors there. Where they end up is found by labels: of a
prompt labelled 0, 1, 2, ... the vectors labelled -100 afterwards are the image's, and the others
say which token they are of. Prompts are padded on the right, because some of these models count an
image's place from the left.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, field
from typing import Any, Callable

from .prompts import span_of, tokens_behind

IGNORED = -100
"""The label of a vector that is of no token."""


class Unsupported(Exception):
    """A sentence for a person: the model cannot be run."""


class BadSample(Exception):
    """One sample cannot be run; its id and a sentence."""


@dataclass
class Merged:
    """The text stack's input for B prompts of at most L vectors, padded on the right."""

    embeddings: Any
    """(B, L, d)."""
    attended: Any
    """(B, L) bool."""
    vision: Any
    """(B, L) bool: vectors of the image."""
    text: Any
    """(B, L) bool: vectors of the text that may be masked."""
    side: dict[str, list[Any]] = field(default_factory=dict)
    """What carries the image past the embeddings, by name: (n, d) for each prompt."""
    rest: list[dict[str, Any]] = field(default_factory=list)
    """What else the adapter wants to know of each prompt."""

    def take(self, rows: list[int]) -> Merged:
        """Return some prompts, repeated as they occur."""
        import torch

        index = torch.tensor(rows, device=self.embeddings.device)
        return Merged(
            embeddings=self.embeddings.index_select(0, index),
            attended=self.attended.index_select(0, index),
            vision=self.vision.index_select(0, index),
            text=self.text.index_select(0, index),
            side={name: [vectors[row] for row in rows] for name, vectors in self.side.items()},
            rest=[self.rest[row] for row in rows] if self.rest else [],
        )

    @property
    def last(self) -> Any:
        """(B,) the place of each prompt's last token."""
        return self.attended.long().sum(1) - 1


class Fork:
    """A model of the package `package`; what another repository does otherwise it overrides."""

    package = "llava"
    family = "LLaVA"
    default_conversation = "vicuna_v1"

    def __init__(self, request: dict[str, Any]):
        """Load the model that a request asks for, in evaluation mode."""
        import torch

        self.request = request
        self.scope = request["scope"]
        constants = self.module("constants")
        self.sentinel: int = constants.IMAGE_TOKEN_INDEX
        self.placeholder: str = constants.DEFAULT_IMAGE_TOKEN
        templates = self.module("conversation").conv_templates
        name = request.get("conversation") or self.conversation_of(request["model"])
        if name not in templates:
            raise Unsupported(
                "the repository has no conversation {!r}; it has {}".format(
                    name, ", ".join(sorted(templates))
                )
            )
        self.conversation = name
        self.template = templates[name]
        self.device = torch.device(request["device"])
        self.tokenizer, self.model, self.image_processor = self.load()
        precision = request["dtype"]
        if precision == "auto":
            precision = "float32" if self.device.type == "cpu" else None
        if precision is not None:
            self.model = self.model.to(getattr(torch, precision))
        self.model = self.model.to(self.device).eval().requires_grad_(False)

    # What a repository may do in its own way -----------------------------------------------------

    def conversation_of(self, folder: str) -> str:
        """Return the conversation template that goes with a model."""
        del folder
        return self.default_conversation

    def load(self) -> tuple[Any, Any, Any]:
        """Return tokenizer, model and image processor."""
        folder = self.request["model"].rstrip("/")
        name = self.module("mm_utils").get_model_name_from_path(folder)
        if self.package not in name.lower():  # the loaders choose a class by it
            name = self.package + "-" + name
        found = self.module("model.builder").load_pretrained_model(
            folder, None, name, device=str(self.device)
        )
        return found[0], found[1], found[2]

    def pictures(self, images: list[Any]) -> tuple[Any, list[int]]:
        """Return what the model takes for one image of each prompt, and its number of sentinels."""
        made = self.module("mm_utils").process_images(
            images, self.image_processor, self.model.config
        )
        return self.moved(made), [1] * len(images)

    def more_arguments(self, images: list[Any]) -> dict[str, Any]:
        """Return the arguments of the input path beside tokens and pictures."""
        return {"image_sizes": [image.size for image in images]}

    def split(self, extra: tuple[Any, ...], merged: Merged) -> None:
        """Keep of what the input path returns beside embeddings and labels what the stack needs."""

    def keywords(self, merged: Merged) -> dict[str, Any]:
        """Return the stack's keywords beside embeddings, attention and positions."""
        del merged
        return {}

    def before_plain(self, extra: tuple[Any, ...]) -> None:
        """Do what the repository's own `generate` does between the input path and the forward."""

    # Shared ---------------------------------------------------------------------------------------

    def module(self, name: str) -> Any:
        """Return a module of the repository."""
        try:
            return importlib.import_module(self.package + "." + name)
        except ImportError as error:
            raise Unsupported(
                f"{self.package}.{name} cannot be imported ({error}); name the repository's "
                "folder, and install what it asks for into the worker's environment"
            ) from error

    @property
    def stack(self) -> Any:
        """The module that owns the decoder layers."""
        return self.model.get_model()

    def moved(self, value: Any) -> Any:
        """Return tensors on the model's device, floats in its precision."""
        import torch

        if isinstance(value, (list, tuple)):
            return [self.moved(one) for one in value]
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self.device, self.model.dtype if value.is_floating_point() else value.dtype)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a prompt, with a sentinel for each placeholder."""
        function = self.module("mm_utils").tokenizer_image_token
        return [int(token) for token in function(text, self.tokenizer, self.sentinel)]

    def prompt(self, sample: dict[str, Any], sentinels: int, answer: Any = None) -> str:
        """Return the text of a prompt; a message of the system stands before the question."""
        conversation = self.template.copy()
        said = sample["text"]
        if sample.get("system"):
            said = sample["system"] + "\n" + said
        if sentinels:
            said = self.placeholder * sentinels + "\n" + said
        conversation.append_message(conversation.roles[0], said)
        conversation.append_message(conversation.roles[1], answer)
        return self.written(conversation, sentinels > 0)

    def written(self, conversation: Any, with_image: bool) -> str:
        """Return the text of a conversation."""
        del with_image
        return conversation.get_prompt()

    def answer_tokens(self, answer: str) -> list[int]:
        """Return the tokens of an answer as the conversation writes it behind a prompt."""
        sample = {"text": "?", "system": None}
        prompt, whole = self.prompt(sample, 0), self.prompt(sample, 0, answer)
        behind = whole[len(prompt) :] if whole.startswith(prompt) else ""
        if behind.lstrip().startswith(answer):
            tokens = tokens_behind(
                self.encode, prompt, behind[: behind.index(answer) + len(answer)]
            )
            if tokens:
                return tokens
        return [int(token) for token in self.tokenizer.encode(answer, add_special_tokens=False)]

    def inputs(
        self, samples: list[dict[str, Any]], images: list[Any], change: str = ""
    ) -> dict[str, Any]:
        """Return padded tokens, pictures and the place of the text of each prompt.

        Parameters
        ----------
        samples
            B of them.
        images
            One for each, or none at all.
        change
            `words` replaces the text that may be masked by as many other words of it.
        """
        import torch

        pictures, sentinels = self.pictures(images) if images else (None, [0] * len(samples))
        rows: list[list[int]] = []
        spans: list[tuple[int, int]] = []
        for sample, count in zip(samples, sentinels):
            prompt = self.prompt(sample, count)
            start = prompt.rfind(sample["text"])
            if start < 0:
                raise Unsupported("the conversation changes the question, so it cannot be found")
            piece = (start, start + len(sample["text"]))
            if self.scope == "question":
                first, last = sample["question"]
                piece = (start + first, start + last)
            tokens = self.encode(prompt)
            span = span_of(self.encode, prompt, *piece)
            if change == "words":
                words = tokens[span[0] : span[1]]
                tokens[span[0] : span[1]] = (words[-1:] + words[:-1])[::-1]
            rows.append(tokens)
            spans.append(span)
        width = max(map(len, rows))
        pad = self.tokenizer.pad_token_id or 0
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
        attended = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        return {
            "input_ids": ids.to(self.device),
            "attention_mask": attended.to(self.device),
            "images": pictures,
            "spans": spans,
            "lengths": [len(row) for row in rows],
            "more": self.more_arguments(images) if images else {},
        }

    def merge(self, samples: list[dict[str, Any]], images: list[Any], change: str = "") -> Merged:
        """Run vision tower and input path, and find each modality."""
        import torch

        inputs = self.inputs(samples, images, change)
        ids, attended = inputs["input_ids"], inputs["attention_mask"]
        labels = torch.arange(ids.shape[1], device=self.device).expand_as(ids).contiguous()
        with torch.no_grad():
            if images:
                found = self.prepared(inputs, labels)
                attended, embeddings, labels, extra = found[2], found[4], found[5], found[6:]
                if embeddings is None:
                    raise Unsupported("the input path gives no embeddings for prompts with images")
            else:
                embeddings, extra = self.stack.embed_tokens(ids), ()
                labels = torch.where(attended.bool(), labels, torch.full_like(labels, IGNORED))
        attended = attended.bool()
        merged = Merged(
            embeddings=embeddings,
            attended=attended,
            vision=(labels == IGNORED) & attended,
            text=torch.stack(
                [
                    (row >= first) & (row < last)
                    for row, (first, last) in zip(labels, inputs["spans"])
                ]
            ),
        )
        for sample, row, length in zip(samples, labels, inputs["lengths"]):
            if int(row.max()) != length - 1:
                raise BadSample(sample["id"], "its prompt is longer than the model takes")
        if images:
            self.split(extra, merged)
        return merged

    def prepared(self, inputs: dict[str, Any], labels: Any) -> tuple[Any, ...]:
        """Call the repository's input path with the arguments that it has."""
        function = self.model.prepare_inputs_labels_for_multimodal
        given = {
            "input_ids": inputs["input_ids"],
            "position_ids": None,
            "attention_mask": inputs["attention_mask"],
            "past_key_values": None,
            "labels": labels,
            "images": inputs["images"],
            **inputs["more"],
        }
        return function(**self.accepted(function, given))

    def accepted(self, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
        """Return those of the arguments that a function takes; what else it needs is refused."""
        parameters = inspect.signature(function).parameters
        lacking = [
            name
            for name, one in parameters.items()
            if name not in given
            and one.default is inspect.Parameter.empty
            and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
        if lacking:
            raise Unsupported(
                "the input path asks for {}, which this adapter does not know".format(
                    ", ".join(lacking)
                )
            )
        return {name: value for name, value in given.items() if name in parameters}

    def states(self, merged: Merged, watch: Any = None) -> Any:
        """Return (R, L, d) states after the final norm; `watch(layer, states)` sees each layer."""
        import torch

        def hook(number: int) -> Callable[..., None]:
            def after(_module: Any, _args: Any, output: Any) -> None:
                watch(number, output[0] if isinstance(output, tuple) else output)

            return after

        handles = (
            [layer.register_forward_hook(hook(i)) for i, layer in enumerate(self.stack.layers)]
            if watch
            else []
        )
        positions = torch.arange(merged.embeddings.shape[1], device=merged.embeddings.device)
        try:
            with torch.no_grad():
                output = self.stack(
                    inputs_embeds=merged.embeddings,
                    attention_mask=merged.attended.long(),
                    position_ids=positions.expand(len(merged.embeddings), -1),
                    use_cache=False,
                    return_dict=True,
                    **self.keywords(merged),
                )
        finally:
            for handle in handles:
                handle.remove()
        return output.last_hidden_state

    def logits(self, states: Any) -> Any:
        """Return (..., V) float32 logits of states after the final norm."""
        return self.model.lm_head(states).float()

    def plain(self, samples: list[dict[str, Any]], images: list[Any]) -> Any:
        """Return (B, V) logits of the model's own forward pass at each prompt's last token."""
        import torch

        inputs = self.inputs(samples, images)
        labels = torch.zeros_like(inputs["input_ids"])
        with torch.no_grad():
            found = self.prepared(inputs, labels)
            self.before_plain(found[6:])
            given = {name: inputs[name] for name in ("input_ids", "attention_mask", "images")}
            given.update(inputs["more"], use_cache=False)
            output = self.model(**self.accepted(self.model.forward, given))
        last = found[2].long().sum(1) - 1
        return output.logits[torch.arange(len(samples)), last].float().cpu()
