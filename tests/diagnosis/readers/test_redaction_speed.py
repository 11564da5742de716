"""Redaction looks only at lines that a cheap search suspects; it must find what every line has."""

from hypothesis import given
from hypothesis import strategies as st

from arcferry.diagnosis.readers import redaction

WORDS = st.sampled_from(
    [
        "password: hunter2",
        '"sharedKey": "x1"',
        "key",
        "http://u:p@proxy",
        "azcmagent -p s3cret",
        "plain",
        "İ",
        "\n",
    ]
)


@given(st.lists(st.one_of(WORDS, st.text("abk=:-@ \n", max_size=6)), max_size=30).map(" ".join))
def test_nothing_is_missed(text: str) -> None:
    by_line = (
        redaction._without(line) if redaction._HINT.search(line) else line for line in text.split("\n")
    )
    assert redaction.redact(text) == "\n".join(by_line)
