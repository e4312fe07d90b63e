"""How a model that thinks before it answers is asked for the answer alone.

Scores are read at the first token of the answer. A prompt that ends in an open thought would have
them read at the first token of the thought, where no option is likely and all fall back to uniform.
"""

import re
from collections.abc import Mapping

SWITCHES = ("enable_thinking", "thinking")
"""Variables of chat templates that turn thoughts off: of Qwen3, Qwen3.5 and GLM; of Kimi-K2.5."""
OPENED, CLOSED = "<think>", "</think>"
_CODE = re.compile(r"\{[%{](.*?)[%}]\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def switches(template: str | Mapping[str, str]) -> dict[str, bool]:
    """Return the variables of a chat template that turn its thoughts off, set so.

    Parameters
    ----------
    template
        The Jinja text, or texts by name.

    Examples
    --------
    >>> switches("{% if enable_thinking is false %}<think></think>{% endif %}")
    {'enable_thinking': False}
    >>> switches("{{ 'you are thinking' }} thinking")
    {}
    """
    code = " ".join(_QUOTED.sub("", found) for found in _CODE.findall(_text(template)))
    return {name: False for name in SWITCHES if re.search(rf"\b{name}\b", code)}


def without_thought(prompt: str) -> str:
    r"""Return a prompt in which a thought that is open at its end is closed, and empty.

    >>> without_thought("ASSISTANT: <think>")
    'ASSISTANT: <think>\n\n</think>\n\n'
    >>> without_thought("USER: what does <think> mean? ASSISTANT:")
    'USER: what does <think> mean? ASSISTANT:'
    """
    if not prompt.rstrip().endswith(OPENED):
        return prompt
    return f"{prompt.rstrip()}\n\n{CLOSED}\n\n"


def can_think(template: str | Mapping[str, str]) -> bool:
    """Whether a chat template knows of thoughts, so that what is read depends on this module."""
    return bool(switches(template)) or OPENED in _text(template)


def _text(template: str | Mapping[str, str]) -> str:
    return template if isinstance(template, str) else "\n".join(template.values())
