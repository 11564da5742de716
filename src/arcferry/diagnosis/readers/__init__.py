"""Readers: each turns one kind of file into what it says; the content decides, never the name."""

from dataclasses import replace

from arcferry.diagnosis.document import Document, Kind
from arcferry.diagnosis.readers import (
    agent_check,
    agent_connect,
    arcferry_check,
    azure_json,
    dns_answers,
    download_error,
)
from arcferry.diagnosis.readers.decoding import TEXT_LIMIT, Decoded, decode
from arcferry.text import clean

FILE_LIMIT = 64 * 1024 * 1024
"""Longest file in bytes that is read at all."""

_TEXT_READERS = (agent_check.read, agent_connect.read, download_error.read)


def _of_json(name: str, decoded: Decoded) -> Document | None:
    value = decoded.value
    if arcferry_check.looks_right(value):
        return arcferry_check.read(name, value)
    if dns_answers.looks_right(value):
        return dns_answers.read(name, value)
    return azure_json.read(name, value)


def _of_text(name: str, text: str) -> list[Document]:
    plain = clean(text.replace("\r\n", "\n").replace("\r", "\n"), limit=TEXT_LIMIT)
    return [document for read in _TEXT_READERS if (document := read(name, plain))]


def read_document(name: str, data: bytes) -> tuple[Document, ...]:
    """What a file says, recognised by its content alone.

    A console transcript can hold several kinds, and then gives several documents. What nothing recognises
    gives one document of kind `unrecognised`, which says nothing.

    Args:
        name: how the file is called in findings; its content decides what it is.
        data: the whole file.

    Raises:
        FileInputError: the file is binary, too large for text, nested too deeply, or is a known kind in
            which something is wrong.
    """
    decoded = decode(name, data)
    found = [document] if decoded.is_json and (document := _of_json(name, decoded)) else []
    found = found or _of_text(name, decoded.text)
    if not found:
        return (Document(name, Kind.UNRECOGNISED),)
    notes = tuple(
        f"the key {key[:80]!r} stands twice in one object; the last one counted" for key in decoded.duplicates
    )
    return tuple(replace(document, notes=document.notes + notes) for document in found)
