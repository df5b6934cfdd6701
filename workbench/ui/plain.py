"""Words that people and files brought along, shown as they are: no markup in a tooltip, no key hidden in a name."""

from __future__ import annotations

import html


def tooltip(text: str) -> str:
    """A text for a tooltip. Qt takes one with tags, or with an entity in place of one, for HTML: it is made just that,
    with every sign of the text as itself."""
    if "<" not in text and "&lt;" not in text:
        return text
    return f'<p style="white-space: pre-wrap">{html.escape(text, quote=False)}</p>'


def unmarked(text: str) -> str:
    """A text for a button or a menu, where a single & would be taken out and underline what follows it."""
    return text.replace("&", "&&")


def marked_off(text: str) -> str:
    """The text that `unmarked` was given."""
    return text.replace("&&", "&")
