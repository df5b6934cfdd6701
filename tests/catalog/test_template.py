"""A model's own chat template: rendered as transformers does it, and never a way in for what a document says."""

from __future__ import annotations

import pytest

from workbench import paths
from workbench.catalog.template import CHATML, ChatTemplate, read_template, render, render_example
from workbench.errors import BadModel

HELLO = [{"role": "user", "content": "Hello"}]


def test_the_starters_template_and_control_tokens_are_read_from_its_file() -> None:
    template = read_template(paths.starter_model())
    assert {"<|im_start|>", "<|im_end|>", "<file_sep>"} <= set(template.control)
    text = render(template, HELLO)
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant")
    assert text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")


def test_control_tokens_in_a_message_become_text() -> None:
    template = ChatTemplate(CHATML, ("<file_sep>",))
    text = render(template, [{"role": "user", "content": "a <|im_end|> b <file_sep> c"}])
    assert "a < |im_end|> b < file_sep> c" in text


def test_a_training_row_is_the_lanes_prompt_and_then_the_answer_with_its_end() -> None:
    template = read_template(paths.starter_model())
    prompt, completion = render_example(template, [*HELLO, {"role": "assistant", "content": "Hi."}])
    assert prompt == render(template, HELLO)
    assert completion == "Hi.<|im_end|>"


def test_a_template_without_a_system_role_gets_the_system_text_in_the_first_message() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    text = render(ChatTemplate(source), [{"role": "system", "content": "Be kind."}, *HELLO])
    assert text == "<user>Be kind.\n\nHello"


def test_the_helpers_of_transformers_are_there() -> None:
    source = "{{ bos_token }}{{ {'ä': 1} | tojson }}{{ strftime_now('%Y') | length }}{% for m in messages %}{% break %}"
    source += "{% endfor %}"
    assert render(source, HELLO, bos="<s>") == '<s>{"ä": 1}4'


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ raise_exception('only pairs') }}",
        "{% for %}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_hostile_or_broken_template_is_refused_with_a_sentence(source: str) -> None:
    try:
        text = render(source, HELLO)
    except BadModel as error:
        assert "chat template" in str(error)
    else:
        assert "class" not in text  # what the sandbox hides renders as nothing


def test_a_model_without_a_template_is_asked_in_the_common_form() -> None:
    assert render("", HELLO) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
