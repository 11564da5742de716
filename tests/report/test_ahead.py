from datetime import date

from arcferry import catalog
from arcferry.report import ahead


def test_what_is_announced_has_its_day_and_who_says_so() -> None:
    found = catalog.ahead(date(2026, 11, 28))
    (fields,) = ahead.fields(found)
    assert (fields["day"], fields["host"], fields["begins"]) == ("2027-02-01", "", True)
    assert "agent-release-notes.md" in fields["source"]
    empty, line = ahead.lines(found)
    assert empty == ""
    assert line.startswith("Ahead, from 2027-02-01: the agent refuses certificates")
    assert list(ahead.lines(())) == []
