"""Times and names within texts, which may be anybody's."""

import re
from html import unescape

import pytest
from tests.report.page import samples

from arcferry.report.page.inline import named, told

LONG = "agentserviceapi.guestconfiguration.azure.com"
BROKEN = LONG.replace(".", ".<wbr>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gbl.his.arc.azure.com", "<span class=n>gbl.his.arc.azure.com</span>"),
        (f"for {LONG}.", f"for <span class=n>{BROKEN}</span>."),
        (
            "eastasia-gas: 20.1.2.3, 1.67.0",
            "<span class=n>eastasia-gas</span>: <span class=n>20.1.2.3</span>, 1.67.0",
        ),
        ("x" * 30 + ".com and " + "y-" * 20, "x" * 30 + ".com and " + "y-" * 20),
        ("name." * 20 + "com", "name.<wbr>" * 20 + "com"),
        ("--location eastasia", "--location eastasia"),
        (
            "since 2026-11-20 08:00 UTC",
            'since <time datetime="2026-11-20T08:00Z">2026-11-20 08:00 UTC</time>',
        ),
        (
            "at 2026-11-20T08:00:59Z: b",
            'at <time datetime="2026-11-20T08:00:59Z">2026-11-20 08:00:59 UTC</time>: b',
        ),
        (
            "2026-11-20 08:00:59 UTC",
            '<time datetime="2026-11-20T08:00:59Z">2026-11-20 08:00:59 UTC</time>',
        ),
        ("2026-13-20 08:00 UTC", "2026-13-20 08:00 UTC"),
        ("2026-11-20T08:61:00Z", "2026-11-20T08:61:00Z"),
        ("2026-11-20 08:00 utc", "<span class=n>2026-11-20</span> 08:00 utc"),
        ("<a.b.c>&'", "&lt;a.b.c&gt;&amp;&#39;"),
        ("", ""),
    ],
)
def test_times_and_names_are_marked(text: str, shown: str) -> None:
    assert told(text) == shown


def test_what_is_copied_keeps_its_times() -> None:
    for time in ("2026-11-20 08:00 UTC", "2026-11-20T08:00:59Z"):
        assert named(f"{time} a-b") == f"{time} <span class=n>a-b</span>"


@pytest.mark.parametrize(
    "text", [samples.HOSTILE[:600], "a." * 8000, "a-" * 8000, "1." * 8000, samples.LETTER]
)
def test_nothing_is_added_to_what_is_read(text: str) -> None:
    for shown in (told(text), named(text)):
        assert unescape(re.sub("</?(?:span|wbr|time)[^>]*>", "", shown)) == text
