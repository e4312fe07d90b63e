"""What a model does to a hidden state and to its head's output on the way to logits.

Some models cap their logits (`cap * tanh(logits / cap)`), scale them, or scale the hidden state
before the head. The configuration names the numbers, but not every class that has such a number
uses it (Gemma 3 with images does not, PaliGemma does), so the class whose forward calls the head
decides: a number counts where that forward mentions it. The self-test then proves it: the replay's
logits must be those of the plain forward pass.
"""

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

SCALES = ("logits_scaling", "logit_scale", "output_multiplier", "lm_head_multiplier")
"""Names in a configuration of numbers that logits are multiplied or divided by."""
CAP = "final_logit_softcapping"
"""Name in a configuration of the largest absolute value that a logit can take."""


@dataclass(frozen=True, kw_only=True)
class LogitSteps:
    """logits = cap * tanh(scale * head(hidden_scale * hidden) / cap)."""

    hidden_scale: float = 1.0
    scale: float = 1.0
    cap: float | None = None
    """None leaves the logits as they are."""

    def logits(self, head: "nn.Module", hidden: "torch.Tensor") -> "torch.Tensor":
        """Return (..., V) logits of (..., d) final hidden states, float32 or wider."""
        import torch

        raw = head(hidden if self.hidden_scale == 1.0 else hidden * self.hidden_scale)
        raw = raw.to(torch.promote_types(raw.dtype, torch.float32))
        if self.scale != 1.0:
            raw = raw * self.scale
        return raw if self.cap is None else self.cap * torch.tanh(raw / self.cap)


def logit_steps(model: "nn.Module", head: "nn.Module") -> LogitSteps:
    """Read the steps around a head from the configuration and the code of the head's owner.

    Parameters
    ----------
    model
        A transformers model.
    head
        Its language-model head, a direct child of `model` or of one of its parts.
    """
    owner: Any = next(
        (part for part in model.modules() if any(child is head for child in part.children())), model
    )
    code = _forward_code(owner)
    config: Any = getattr(owner, "config", None) or getattr(model, "config", None)
    if config is None:
        return LogitSteps()
    texts = [config.get_text_config(), config]

    def number(name: str) -> float | None:
        values = (getattr(text, name, None) for text in texts)
        return next((float(v) for v in values if isinstance(v, (int, float))), None)

    scale = 1.0
    for name in SCALES:
        value = number(name)
        # "logits / self.config.logits_scaling" (Granite), but "* ..." in HyperCLOVA X
        found = re.search(rf"([*/])\s*self\.[\w.()]*\b{name}\b", code)
        if value is not None and found is not None:
            scale = scale * value if found[1] == "*" else scale / value
    hidden_scale = 1.0
    if "scale_decoder_outputs" in code and getattr(config, "scale_decoder_outputs", False):
        hidden_scale = float(config.d_model) ** -0.5
    return LogitSteps(
        hidden_scale=hidden_scale, scale=scale, cap=number(CAP) if "logit_softcap" in code else None
    )


def _forward_code(module: "nn.Module") -> str:
    """Return the source of a module's forward, below its decorators; empty where there is none."""
    try:
        return inspect.getsource(inspect.unwrap(type(module).forward))
    except (OSError, TypeError):
        return ""
