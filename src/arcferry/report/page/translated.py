"""Findings that a document has in English, in the language that is spoken: judged anew by its own evidence.

A document keeps what it was judged by. That gives the same findings again, in English and in the other
language. Words take the place of others only where the English ones are those of the document, so that
nothing is said that it does not say.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from arcferry.diagnosis import judge
from arcferry.errors import InputError
from arcferry.evidence.kept import KEY
from arcferry.evidence.reading import read_document
from arcferry.language import ENGLISH, speaking, spoken
from arcferry.report.as_json import finding_document

_Json = dict[str, Any]
_WORDS = ("title", "evidence", "remedy")


def translated(document: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], int]:
    """The document with its findings in the language that is spoken, and how many of them stay English.

    Args:
        document: the JSON of a command, as it may come from anybody.
        name: what the document is called.
    """
    findings = document.get("findings")
    if spoken() == ENGLISH or not isinstance(findings, list):
        return document, 0
    known = dict(_pairs(document.get(KEY), name)) if findings else {}
    told = [known.get(_english(one)) for one in findings]
    spoken_of = [one | words if words else one for one, words in zip(findings, told, strict=True)]
    return {**document, "findings": spoken_of}, told.count(None)


def _pairs(evidence: object, name: str) -> Iterator[tuple[str, _Json]]:
    """The English words of each finding of the evidence, with those that are spoken."""
    data = json.dumps({KEY: evidence}).encode()
    with speaking(ENGLISH):
        english = _judged(name, data)
    here = _judged(name, data)
    for key in english.keys() & here.keys():
        yield _english(english[key]), {field: here[key][field] for field in _WORDS}


def _judged(name: str, data: bytes) -> dict[str, _Json]:
    """The findings of the evidence that are told from all others by what has no language."""
    try:
        found = list(map(finding_document, judge(read_document(name, data)).findings))
    except InputError:  # without evidence that can be read the findings stay as they are
        return {}
    counts = Counter(map(_without_words, found))
    return {key: one for one in found if counts[key := _without_words(one)] == 1}


def _without_words(finding: _Json) -> str:
    told = [finding[key] for key in ("cause", "severity", "confidence", "owner", "endpoints")]
    commands = [one["text"] for one in finding["remedy"]["commands"]]
    return json.dumps([*told, commands, finding.get("hosts")])


def _english(finding: object) -> str:
    """What tells a finding of a document from others, as its reader knows it."""
    if not isinstance(finding, dict) or not isinstance(remedy := finding.get("remedy"), dict):
        return ""
    told = [finding.get(key) for key in ("cause", "title", "endpoints")]
    return json.dumps([*told, remedy.get("summary"), remedy.get("request")])
