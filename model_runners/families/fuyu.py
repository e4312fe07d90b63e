"""Fuyu (Adept 2023): no vision tower; one linear map takes patches into the decoder.

The ends of rows of patches are tokens like any other and keep their places under a mask. The
checkpoint has no chat template: the user's text is the prompt, as its makers use it.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Fuyu",
    model_type="fuyu",
    norm="final_layernorm",
    chat_template=(
        "{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}{{ ' ' }}{% endif %}"
        "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}{{ '|SPEAKER|' }}{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}{% endif %}"
        "{% if message['role'] != 'assistant' %}{{ '\n' }}{% endif %}"
        "{% endfor %}"
    ),
)
