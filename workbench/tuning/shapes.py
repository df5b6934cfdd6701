"""A row becomes an example: the shapes of training rows that are known, and what can be wrong with one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.tuning.files import kind_of

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
}


class RowFault(Exception):
    """A row that cannot be used: the field and the reason."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class GroundedPassage:
    """A passage of a grounded training row, shaped like a retrieved one."""

    file: str
    location: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a row says: messages, or a question with passages that the house's own prompt shape turns into messages."""

    messages: tuple[
        tuple[str, str], ...
    ]  # (role, content); of a grounded row: (("user", question), ("assistant", answer))
    passages: tuple[GroundedPassage, ...] = ()
    grounded: bool = False  # passages were given, even if none: "nothing found" is worth teaching too
    read: str = ""  # a text to be read that stands in the question itself, where a field of its own holds it


def recognise(row: dict[str, Any]) -> str:
    """The shape of a row by its fields, "" when it is none that is known."""
    for shape, (fields, _) in SHAPES.items():
        rendered = shape != CHATML or _MARK in str(row.get("text"))  # any file may have a column of that name
        if rendered and all(field in row for field in fields):
            return shape
    return ""


def read_shape(shape: str, row: dict[str, Any]) -> Conversation:
    """The conversation a row of this shape holds. Raises RowFault."""
    conversation = SHAPES[shape][1](row)
    _check_turns(conversation.messages, "messages" if shape == "OpenAI messages" else "conversations")
    return conversation


def _check_turns(messages: tuple[tuple[str, str], ...], field: str) -> None:
    """Turns must alternate and end with an answer: chat templates and models know no other order."""
    turns = [role for role, _ in messages if role != "system"]
    if not turns or turns[0] != "user":
        raise RowFault(field, "the conversation does not begin with a user's message")
    if turns[-1] != "assistant":
        raise RowFault(field, "the conversation does not end with an answer")
    if any(first == second for first, second in zip(turns, turns[1:], strict=False)):
        raise RowFault(field, "two messages in a row come from the same side")
    if "system" in [role for role, _ in messages[1:]]:
        raise RowFault(field, "a system message stands after the beginning")


def _text(row: dict[str, Any], field: str, name: str = "") -> str:
    """A field that must be text with something in it. `name` is how a person would call it."""
    value = row.get(field)
    if not isinstance(value, str):
        hint = ": write the JSON as text" if isinstance(value, (dict, list)) else ""
        raise RowFault(field, f"the {name or field} must be text but is {kind_of(value)}{hint}")
    if not value.strip():
        raise RowFault(field, f"the {name or field} is empty")
    return value


def _optional(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    return _text(row, field)


def _with_system(row: dict[str, Any], messages: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    system = _optional(row, "system")
    return (("system", system), *messages) if system else messages


def _content(value: Any, field: str) -> str:
    """A message's content: text, or OpenAI's list of text parts."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        if any(each.get("type") != "text" or not isinstance(each.get("text"), str) for each in value):
            raise RowFault(field, "the message has a part that is not text")
        value = "".join(each["text"] for each in value)
    return _text({"content": value}, "content", "content of the message")


def _turns(row: dict[str, Any], field: str, who: str, what: str) -> tuple[tuple[str, str], ...]:
    turns = row[field]
    if not isinstance(turns, list) or not turns:
        raise RowFault(field, f"{field} must be a list of messages but is {kind_of(turns)}")
    found = []
    for number, turn in enumerate(turns, start=1):
        place = f"{field}[{number}]"
        if not isinstance(turn, dict):
            raise RowFault(place, f"message {number} is {kind_of(turn)}, not an object")
        role = turn.get(who)
        if not isinstance(role, str) or role.lower() not in ROLES:
            raise RowFault(
                f"{place}.{who}", f"message {number} has the role {role!r}, which is not system, user or assistant"
            )
        if turn.get("tool_calls"):
            raise RowFault(f"{place}.tool_calls", f"message {number} calls a tool, which cannot be trained here")
        try:
            found.append((ROLES[role.lower()], _content(turn.get(what), what)))
        except RowFault as fault:
            raise RowFault(f"{place}.{what}", f"message {number}: {fault.message}") from fault
    return tuple(found)


def _read_messages(row: dict[str, Any]) -> Conversation:
    return Conversation(_turns(row, "messages", "role", "content"))


def _read_sharegpt(row: dict[str, Any]) -> Conversation:
    return Conversation(_with_system(row, _turns(row, "conversations", "from", "value")))


def _read_grounded(row: dict[str, Any]) -> Conversation:
    given = row["passages"]
    if not isinstance(given, list):
        raise RowFault("passages", f"passages must be a list but is {kind_of(given)}")
    passages = []
    for number, each in enumerate(given, start=1):
        place = f"passages[{number}]"
        if not isinstance(each, dict):
            raise RowFault(place, f"passage {number} is {kind_of(each)}, not an object with file, location and text")
        try:
            passages.append(GroundedPassage(_optional(each, "file"), _optional(each, "location"), _text(each, "text")))
        except RowFault as fault:
            raise RowFault(f"{place}.{fault.field}", f"passage {number}: {fault.message}") from fault
    messages = (("user", _text(row, "question")), ("assistant", _text(row, "answer")))
    return Conversation(messages, tuple(passages), grounded=True)


def _read_alpaca(row: dict[str, Any]) -> Conversation:
    instruction, given = _text(row, "instruction"), _optional(row, "input")
    question = f"{instruction}\n\n{given}" if given else instruction
    return Conversation(_with_system(row, (("user", question), ("assistant", _text(row, "output")))), read=given)


def _read_prompt(row: dict[str, Any]) -> Conversation:
    if isinstance(row["prompt"], list):  # TRL's conversational form: two lists of messages
        return Conversation(_turns(row, "prompt", "role", "content") + _turns(row, "completion", "role", "content"))
    return Conversation(_with_system(row, (("user", _text(row, "prompt")), ("assistant", _text(row, "completion")))))


def _read_question(row: dict[str, Any]) -> Conversation:
    return Conversation(_with_system(row, (("user", _text(row, "question")), ("assistant", _text(row, "answer")))))


def _read_dolly(row: dict[str, Any]) -> Conversation:
    instruction, context = _text(row, "instruction"), _optional(row, "context")
    question = f"{context}\n\n{instruction}" if context else instruction
    return Conversation((("user", question), ("assistant", _text(row, "response"))), read=context)


def _read_chatml(row: dict[str, Any]) -> Conversation:
    """Messages that were rendered already: taken apart, so that the model's own template and masking apply to them."""
    text = _text(row, "text")
    if _CHATML.sub("", text).strip():
        raise RowFault("text", "the text holds something outside of its messages")
    turns = [(found["role"].lower(), found["content"].strip()) for found in _CHATML.finditer(text)]
    for number, (role, content) in enumerate(turns, start=1):
        if role not in ROLES:
            raise RowFault("text", f"message {number} has the role {role!r}, which is not system, user or assistant")
        if not content:
            raise RowFault("text", f"message {number} is empty")
    return Conversation(tuple((ROLES[role], content) for role, content in turns))


_MARK, CHATML = "<|im_start|>", "rendered ChatML (text)"
_CHATML = re.compile(r"<\|im_start\|>(?P<role>\w+)\n(?P<content>.*?)<\|im_end\|>\n?", re.DOTALL)


def read_columns(row: dict[str, Any], question: str, answer: str, system: str = "", context: str = "") -> Conversation:
    """The conversation in columns of a person's own names, "" for those the file lacks. Raises RowFault."""
    named = {str(key).strip().lower(): value for key, value in row.items()}
    given = {name: named.get(name.strip().lower()) for name in (question, answer, system, context) if name}
    asked, read = _text(given, question), _optional(given, context)
    said = _optional(given, system)
    messages = (("user", f"{read}\n\n{asked}" if read else asked), ("assistant", _text(given, answer)))
    return Conversation((("system", said), *messages) if said else messages, read=read)


def _read_pair(asked: str, answer: str) -> Callable[[dict[str, Any]], Conversation]:
    def read(row: dict[str, Any]) -> Conversation:
        return Conversation(_with_system(row, (("user", _text(row, asked)), ("assistant", _text(row, answer)))))

    return read


# Other names that two columns often have.
PAIRS = (("input", "output"), ("query", "response"), ("query", "answer"), ("text", "label"), ("source", "target"))

# In the order they are tried: a row with more of the named fields comes first.
SHAPES: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], Conversation]]] = {
    "OpenAI messages": (("messages",), _read_messages),
    "ShareGPT conversations": (("conversations",), _read_sharegpt),
    "grounded rows (question, passages, answer)": (("question", "passages", "answer"), _read_grounded),
    "Alpaca (instruction, input, output)": (("instruction", "output"), _read_alpaca),
    "prompt and completion": (("prompt", "completion"), _read_prompt),
    "question and answer": (("question", "answer"), _read_question),
    "Dolly (instruction, context, response)": (("instruction", "response"), _read_dolly),
    **{f"{asked} and {answer}": ((asked, answer), _read_pair(asked, answer)) for asked, answer in PAIRS},
    CHATML: (("text",), _read_chatml),
}
