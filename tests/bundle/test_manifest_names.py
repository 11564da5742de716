import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.bundle import manifest


@pytest.mark.parametrize(
    "name",
    ["host/linux.sh", "agent/azcmagent_1.67.0~rc1+deb12-1_amd64.deb", "a", "data/ServiceTags_Public_1.json"],
)
def test_plain_names_are_carried(name: str) -> None:
    assert manifest.name_fault(name) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../etc/passwd", "leaves the bundle"),
        ("agent/../../x", "leaves the bundle"),
        ("..", "leaves the bundle"),
        ("/etc/passwd", "absolute"),
        ("C:/Windows", "absolute"),
        ("c:evil", "absolute"),
        ("agent\\x.msi", "backslash"),
        ("a\0b", "NUL"),
        ("", "empty part"),
        ("a//b", "empty part"),
        ("a/./b", "empty part"),
        ("a/", "empty part"),
        ("nul", "device"),
        ("agent/COM1.msi", "device"),
        ("agent/aux.tar.gz", "device"),
        ("agent/x.", "do not mean the same"),
        ("agent/x:stream", "do not mean the same"),
        ("agent/an agent.msi", "do not mean the same"),
        ("agent/\u202egpj.deb", "do not mean the same"),
        ("-rf", "do not mean the same"),
        (".hidden", "do not mean the same"),
        ("x" * 201, "longer than"),
    ],
)
def test_names_that_leave_or_mislead_are_refused(name: str, says: str) -> None:
    assert says in manifest.name_fault(name)


@given(st.text(max_size=40))
def test_an_accepted_name_stays_inside_on_every_system(name: str) -> None:
    if not manifest.name_fault(name):
        assert name.isascii()
        assert ".." not in name.split("/")
        assert not set(name) & set('\\:*?"<>|\0')
        assert all(part and not part.endswith((".", " ")) for part in name.split("/"))
