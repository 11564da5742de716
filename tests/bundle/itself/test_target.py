import sys

import pytest

from arcferry.bundle.itself import WheelTarget, targets
from arcferry.errors import InputError, UnknownNameError


def test_without_names_it_is_the_running_python_on_both_platforms() -> None:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert targets() == (WheelTarget(running, "linux_x86_64"), WheelTarget(running, "win_amd64"))


def test_names_are_paired_once_each_and_sorted() -> None:
    found = targets(["3.13", "3.11", "3.13"], ["win_amd64"])
    assert [target.tag for target in found] == ["cp311-win_amd64", "cp313-win_amd64"]


@pytest.mark.parametrize(
    ("pythons", "platforms", "says"),
    [
        (["3.1"], [], "unknown Python '3.1'"),
        (["2.7"], [], "unknown Python '2.7'"),
        ([], ["win32"], "unknown platform 'win32'"),
        ([], ["linux_aarch64"], "unknown platform 'linux_aarch64'"),
    ],
)
def test_what_arcferry_is_not_packed_for_is_refused(
    pythons: list[str], platforms: list[str], says: str
) -> None:
    with pytest.raises(UnknownNameError, match=says):
        targets(pythons, platforms)


def test_a_running_python_without_locked_wheels_has_to_be_replaced_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = type("Version", (), {"major": 3, "minor": 99})
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(InputError, match=r"this is Python 3\.99") as caught:
        targets()
    assert "--python" in caught.value.hint
    assert targets(["3.12"], ["win_amd64"]) == (WheelTarget("3.12", "win_amd64"),)


def test_linux_prefers_the_oldest_glibc() -> None:
    platforms = WheelTarget("3.11", "linux_x86_64").wheel_platforms
    assert platforms[:2] == ("manylinux_2_5_x86_64", "manylinux1_x86_64")
    assert platforms[-1] == "manylinux_2_28_x86_64"
    assert platforms.index("manylinux2014_x86_64") < platforms.index("manylinux_2_24_x86_64")
