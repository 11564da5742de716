"""What a file says: the content decides which reader takes it, never the name."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.evidence import exhibits
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import (
    agent_check,
    agent_log,
    agent_show,
    arcferry_check,
    archive,
    azure_objects,
    clixml,
    codes,
    connection_test,
    dns_answers,
    download_error,
    environment_checker,
    failures,
    host_answers,
    host_state,
    http_heads,
    install_log,
    kept,
    network,
    on_server,
    onboarding_script,
    powershell_error,
    private_link,
    routes,
    scripts,
    server_output,
    values,
    words,
)
from arcferry.evidence.readers.guard import guarded, unreadable
from arcferry.files import FILE_LIMIT, read_bounded
from arcferry.redaction import mask, redact
from arcferry.text import clean

_DEEP = 4
_MOST = 50
_MOST_LEFT = 20
_OF_ONE = (
    "agent_state", "route_filter", "circuit", "route_table", "service_tags", "community_list", "sessions",
    "arp",
)  # fmt: skip

_TextReader = Callable[[str, str], Document | None]
_TEXT_READERS: tuple[_TextReader, ...] = (
    on_server.read,
    agent_check.read,
    agent_show.read,
    install_log.read,
    onboarding_script.read,
    agent_log.read,
    agent_log.read_console,
    download_error.read,
    powershell_error.read,
    dns_answers.read_resolve_dns_name,
    dns_answers.read_dig,
    dns_answers.read_brief_dig,
    dns_answers.read_nslookup,
    connection_test.read_net_connection,
    connection_test.read_curl,
    connection_test.read_openssl,
    private_link.read,
    clixml.read,
    host_state.read_config,
    host_state.read_services,
    host_state.read_winhttp,
    http_heads.read,
    environment_checker.read,
    words.read,
    codes.read,
    server_output.read,
)
"""All of them are asked, because a transcript can hold several kinds; the order is that of the documents."""
_STANDS_ASIDE = {
    Kind.AGENT_CONNECT: {Kind.AGENT_LOG},
    Kind.AZURE_ERROR: {Kind.AGENT_CONNECT, Kind.AGENT_LOG, Kind.AGENT_SHOW},
    Kind.PROGRAM_OUTPUT: {Kind.AGENT_CONNECT},
    Kind.ONBOARDING_SCRIPT: {Kind.INSTALL_LOG},
    Kind.DOWNLOAD_ERROR: {Kind.AGENT_LOG, Kind.INSTALL_LOG},
    Kind.CONNECTION_TEST: {Kind.AGENT_LOG, Kind.INSTALL_LOG},
    Kind.SERVER_STATE: set(Kind) - {Kind.SERVER_STATE},
}
"""Which kinds take the same lines better: if one of them was found, this one is left out."""
_JSON_READERS: tuple[tuple[Callable[[object], bool], Callable[[str, object], Document]], ...] = (
    (arcferry_check.looks_right, arcferry_check.read),
    (arcferry_check.is_history, arcferry_check.read_history),
    (dns_answers.is_json, dns_answers.read_json),
    (agent_show.looks_right, agent_show.read_json),
    (private_link.has_scope, private_link.read_settings),
    (onboarding_script.looks_right, onboarding_script.read_json),
    (environment_checker.looks_right, environment_checker.read_json),
)
"""The first that knows a value reads it. These name themselves, or have keys that nobody else has. Azure's
documents are known by few keys and so come after them; what any JSON may hold, such as an error, is last."""


def _of_host(name: str, value: object) -> tuple[Document, ...]:
    """A host's answers, and beside them what its agent printed and how its path was, read as themselves."""
    found = [host_answers.read(name, value)]
    for verb, text in host_answers.printed(value):
        found += _of_text(f"{name}: {verb}", text)
    paths = filter(arcferry_check.looks_right, host_answers.paths(value))
    return (*found, *(arcferry_check.read(f"{name}: path", path) for path in paths))


_WHOLE_JSON_READERS: tuple[
    tuple[Callable[[object], bool], Callable[[str, object], tuple[Document, ...]]], ...
] = (
    (kept.looks_right, kept.read),
    (host_answers.looks_right, _of_host),
    (private_link.is_machine, private_link.read_machines),
    (arcferry_check.is_history_of_sites, arcferry_check.read_sites),
)
"""These give several documents, and come before all others; what a command judged by comes first, because it
says more than what the command's document tells of it besides."""


def _of_json(name: str, value: object) -> tuple[Document, ...]:
    for is_whole, read_whole in _WHOLE_JSON_READERS:
        if is_whole(value):
            return read_whole(name, value)
    for looks_right, read in _JSON_READERS:
        if looks_right(value):
            return (read(name, value),)
    if found := network.read_json(name, value):
        return tuple(found)
    other = (
        agent_check.read_json(name, value)
        or azure_objects.read_json(name, value)
        or codes.read_json(name, value)
    )
    return (other,) if other else ()


def _of_text(name: str, text: str) -> tuple[Document, ...]:
    """What a text without credentials says."""
    plain = exhibits.unwrapped(clean(text, limit=len(text) + 1))
    read = [document for reader in _TEXT_READERS if (document := reader(name, plain))]
    kinds = {document.kind for document in read}
    kept = (one for one in read if not _STANDS_ASIDE.get(one.kind, set()) & kinds)
    return (*kept, *network.read_text(name, plain))


def _of_transcript(name: str, text: str) -> tuple[Document, ...]:
    """What a text says, exhibit by exhibit, then those that no reader takes; nothing if none takes any."""
    parts = exhibits.cut(text)
    several = sum(part.is_json for part in parts) > 1
    texts: list[Document] = []
    others: list[Document] = []
    left: list[exhibits.Exhibit] = []
    routing: list[str] = []
    for part in parts:
        called = f"{name}, line {part.line}" if several else name
        decoded = values.decode(called, part.text)
        found = _of_json(called, decoded.value) if decoded.is_json else _of_text(name, decoded.text)
        if decoded.is_json and not found and part.prompt and not routes.answers_a_router(part.prompt):
            found = routes.read(called, decoded.text.encode("utf-8", errors="replace"))
        if found and not decoded.is_json and not routes.may_hold(decoded.text):
            found = (*found, *failures.beside(name, decoded.text, found))
        (others if decoded.is_json else texts).extend(found)
        if not found:
            left.append(replace(part, text=decoded.text))
        if not found or routes.may_hold(decoded.text):
            routing += [part.prompt, decoded.text] if part.is_json else [decoded.text]
    # Several answers of one router are one table, which shows what its own policy dropped.
    if tables := routes.read(name, "\n".join(routing).encode("utf-8", errors="replace")):
        others += tables
        left = [part for part in left if not part.is_json and not routes.may_hold(part.text)]
    told, unread = _second_look(name, left)
    texts += told
    # A command without an answer is no exhibit, and may still tell how the agent was connected.
    if not any(one.agent_state and one.agent_state.private_link_scope for one in (*texts, *others)):
        texts += filter(None, [private_link.read(name, text)])
    read = (*_merged(texts), *others)
    return (*read, *(_unread(name, part) for part in unread[:_MOST_LEFT])) if read else ()


def _second_look(
    name: str, left: Iterable[exhibits.Exhibit]
) -> tuple[list[Document], list[exhibits.Exhibit]]:
    """What exhibits that no reader takes say as plain words, and those that say nothing even so."""
    found: list[Document] = []
    unread: list[exhibits.Exhibit] = []
    for part in left:
        if part.is_json:
            told = _of_text(name, values.spoken(values.decode(name, part.text).value) or part.text)
        else:
            told = failures.beside(name, part.text, ())
        found += told
        # A script is known for what it is, and tells of nothing that happened.
        unread += [] if told or not scripts.without(part.text).strip() else [part]
    return found, unread


def _unread(name: str, part: exhibits.Exhibit) -> Document:
    """The document of an exhibit that no reader takes, called by its line and the command, if it has one."""
    typed_there = values.short(exhibits.command(part.text.partition("\n")[0]) or part.command, 60)
    return Document(f"{name}, line {part.line}{f': {typed_there}' if typed_there else ''}", Kind.UNRECOGNISED)


def _noted(documents: Iterable[Document], *notes: str) -> tuple[Document, ...]:
    """The same documents with these notes, but for the empty ones."""
    more = tuple(filter(None, notes))
    return tuple(replace(one, notes=one.notes + more) for one in documents)


def _merged(documents: Iterable[Document]) -> list[Document]:
    """One document a kind: a transcript with `dig` and `nslookup` holds DNS answers, once.

    What tells of one thing only, such as an agent's state, stays by itself; so does a failure that nothing
    explains, which would else seem to be explained by what another command met.
    """
    found: list[Document] = []
    for one in documents:
        wanted = (one.kind, _is_unexplained(one))
        alike = (place for place, other in enumerate(found) if (other.kind, _is_unexplained(other)) == wanted)
        place = None if any(getattr(one, field) for field in _OF_ONE) else next(alike, None)
        if place is None:
            found.append(one)
            continue
        before = found[place]
        found[place] = replace(
            before,
            taken=one.taken or before.taken,
            attempts=before.attempts + one.attempts,
            answers=before.answers + one.answers,
            codes=before.codes + one.codes,
            error_lines=before.error_lines + one.error_lines,
            notes=before.notes + one.notes,
        )
    return found


def _is_unexplained(document: Document) -> bool:
    return bool(document.error_lines) and not failures.explains(document)


def _read_plain(name: str, data: bytes) -> tuple[Document, ...]:
    """What a file that is no archive says."""
    text = values.text_of(data)
    if text is None:
        if dump := routes.read(name, data):
            return dump
        raise FileInputError(
            name,
            "a binary file, which explain does not read",
            hint="Hand in text, JSON, a zip of logs or an MRT dump.",
        )
    decoded = values.decode(name, text) if values.is_structured(text) else None
    if decoded and decoded.is_json:
        return _of_whole_json(name, decoded)
    # Only the part that is searched is worth the time that taking credentials out of a long log costs.
    part, note = values.shortened(text)
    found = _noted(_of_transcript(name, part), note)
    if not found and part != text:
        # Of routes only typed values are kept, and a line is quoted masked: a long dump is spared the search.
        found = routes.read(name, values.narrow(text).encode("utf-8", errors="replace"))
    return found or (_unrecognised(name, text=redact(part)),)


def _of_whole_json(name: str, decoded: values.Decoded) -> tuple[Document, ...]:
    found = _of_json(name, decoded.value) or routes.read(name, decoded.text.encode("utf-8", errors="replace"))
    spoken = values.spoken(decoded.value)
    found = found or _of_text(name, spoken) or _of_text(name, redact(decoded.text))
    found = found or (_unrecognised(name, value=decoded.value),)
    twice = (f"the key {typed.shown(mask(key))} stands twice in one object" for key in decoded.duplicates)
    return _noted(found, *(f"{one}; the last one counted" for one in twice))


def _all_keys(value: object, depth: int = 0) -> set[str]:
    if depth > _DEEP:
        return set()
    items = value if isinstance(value, list) else list(values.mapping(value).values())
    own = {str(key).lower() for key in list(values.mapping(value))[:_MOST]}
    return own.union(*(_all_keys(item, depth + 1) for item in items[:_MOST]))


def _unrecognised(name: str, *, text: str = "", value: object = None) -> Document:
    """The document of a file that no reader takes: it says what that looks most like."""
    like, known = "", values.patterns()
    if value is not None:
        keys = _all_keys(value)
        shared, words = max(
            ((len(keys.intersection(own)), words) for words, own in known["keys"].items()), key=itemgetter(0)
        )
        like = f"{words}, but its shape is another" if shared else ""
    else:
        sample = text[:200_000]
        like = next((words for pattern, words in known["looks_like"] if re.search(pattern, sample)), "")
    return Document(name, Kind.UNRECOGNISED, notes=(f"it looks most like {like}",) if like else ())


def read_document(name: str, data: bytes) -> tuple[Document, ...]:
    """What a file says, recognised by its content alone.

    A console transcript can hold several kinds, and then gives several documents, as an archive of logs does.
    What nothing recognises gives one document of kind `unrecognised`, which says what it looked most like.
    Credentials are taken out before anything is read. One in which a reader meets what it did not foresee
    gives one document of kind `unreadable`; in an archive it is that file of it alone.

    Args:
        name: how the file is called in findings; its content decides what it is.
        data: the whole file.

    Raises:
        FileInputError: the file is binary, nested too deeply, or is a known kind in which something is wrong.
    """
    if archive.looks_right(data):
        return guarded(name, lambda: archive.read(name, data, _read_alone), size=None)
    return _read_alone(name, data)


def read_claimed(name: str, data: bytes) -> tuple[Document, ...]:
    """What a host handed in says, as `read_document`; what cannot be read gives one that says so.

    It is never an error of the one who collected it.
    """
    try:
        return guarded(name, lambda: read_document(name, data))
    except FileInputError as error:
        return (unreadable(name, f"could not be read: {error.message.removeprefix(f'{error.path}: ')}"),)


def _read_alone(name: str, data: bytes) -> tuple[Document, ...]:
    return guarded(name, lambda: _read_plain(name, data), size=len(data))


def read_path(path: Path, name: str) -> tuple[Document, ...]:
    """What a file on the disk says; one longer than `FILE_LIMIT` can only be routes, read as a stream.

    Raises:
        FileInputError: as `read_document`; the file is missing, unreadable, or too long and no routes.
    """
    try:
        size = path.stat().st_size if path.is_file() else 0
    except OSError:
        size = 0
    if size <= FILE_LIMIT:
        return read_document(name, read_bounded(path, limit=FILE_LIMIT))
    if dump := guarded(name, lambda: routes.read_dump(path, name), size=size):
        return dump
    raise FileInputError(
        name, f"no dump of routes, and larger than the {FILE_LIMIT:,} bytes that are read of anything else"
    )
