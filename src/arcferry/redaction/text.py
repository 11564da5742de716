"""Redaction of text, by what is known of secrets' shapes and by how their words look."""

from arcferry.redaction import shapes
from arcferry.redaction.words import HIDDEN, mask_words


def redact(text: str) -> str:
    """The same text without passwords, tokens, keys and the users in URLs.

    Lines stay where they are, so that a line number in an error still means the line of the file. The time is
    linear in the text. For a JSON document see `redact_json`.
    """
    kept, done = [], 0
    for start, end in shapes.spans(text):
        kept += [text[done:start], HIDDEN, "\n" * text.count("\n", start, end)]
        done = end
    return "".join((*kept, text[done:])) if kept else text


def mask(text: str) -> str:
    """What may be quoted, kept or sent on of a text: as `redact`, without words that look like secrets."""
    return mask_words(redact(text))
