"""Mail: single messages of both kinds, and mailboxes full of them."""

from __future__ import annotations

import email
import email.policy
import mailbox
import re
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

from workbench.documents.document import Draft, Part
from workbench.documents.formats.plain import clean, decode
from workbench.documents.formats.web import html_draft
from workbench.errors import BadDocument

MESSAGE_LIMIT = 50_000  # messages of one mailbox
HEAD = ("from", "to", "cc", "date", "subject")


def read_mail(path: Path) -> Draft:
    """A message: who, when and about what, then its text; attachments are only named."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    parts, names = _message_parts(message)
    if not parts:
        raise BadDocument("it is no mail message: it has no sender, date or subject")
    return Draft(tuple(parts), _header(message, "subject"), _attachment_notes(names))


def read_mailbox(path: Path) -> Draft:
    """A mailbox in the mbox form: the messages in their order, each under its subject."""
    parts: list[Part] = []
    names: list[str] = []
    number = 0
    modern: Any = _modern  # typeshed knows of one class of messages only
    for number, message in enumerate(mailbox.mbox(path, factory=modern, create=False), start=1):
        if number > MESSAGE_LIMIT:
            break
        found, attached = _message_parts(message)
        names += attached
        subject = _header(message, "subject")
        parts += [Part(each.text, f"message {number}", subject) for each in found]
    if not parts:
        raise BadDocument("it is no mailbox: no message begins in it")
    notes = (f"only the first {MESSAGE_LIMIT:,} messages were read",) if number > MESSAGE_LIMIT else ()
    return Draft(tuple(parts), notes=(*_attachment_notes(names), *notes))


def _modern(file: Any) -> Message:
    return email.message_from_binary_file(file, policy=email.policy.default)


def _message_parts(message: Message) -> tuple[list[Part], list[str]]:
    """The head and the text of a message, and the names of what is attached; nothing when it has no head."""
    head = "\n".join(f"{name.capitalize()}: {value}" for name in HEAD if (value := _header(message, name)))
    if not head or not isinstance(message, EmailMessage):
        return [], []
    parts = [Part(head, "header")]
    body = message.get_body(("plain", "html"))
    if body is not None:
        payload = body.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        if body.get_content_type() == "text/html":
            parts += [Part(each.text, each.location or "body") for each in html_draft(data).parts]
        else:
            parts.append(Part(_mail_text(body, data), "body"))
    return parts, [_squeezed(each.get_filename() or "unnamed") for each in message.iter_attachments()]


def _attachment_notes(names: list[str]) -> tuple[str, ...]:
    return (f"attachments were not read: {', '.join(names[:20])}",) if names else ()


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text)).strip()


def _header(message: Message, name: str) -> str:
    try:
        return _squeezed(str(message.get(name, "")))
    except Exception:  # the standard parser fails on some malformed headers in many ways
        return ""


def _mail_text(body: Any, data: bytes) -> str:
    try:
        return clean(data.decode(body.get_content_charset() or "utf-8"))
    except (LookupError, UnicodeDecodeError):
        return decode(data)


def read_msg(path: Path) -> Draft:
    """A message as Outlook keeps it."""
    from oxmsg import Message as OutlookMessage

    message = OutlookMessage.load(str(path))
    sent = message.sent_date.strftime("%Y-%m-%d %H:%M") if message.sent_date else ""
    to = ", ".join(f"{each.name} <{each.email_address}>" for each in message.recipients)
    named = (("From", message.sender or ""), ("To", to), ("Date", sent), ("Subject", message.subject or ""))
    head = "\n".join(f"{name}: {_squeezed(value)}" for name, value in named if value)
    parts = [Part(head, "header")]
    if message.body:
        parts.append(Part(clean(message.body).strip(), "body"))
    elif message.html_body:
        parts += [Part(each.text, each.location or "body") for each in html_draft(message.html_body).parts]
    names = [_squeezed(each.file_name or "unnamed") for each in message.attachments]
    return Draft(tuple(parts), _squeezed(message.subject or ""), _attachment_notes(names))
