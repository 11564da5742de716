"""What a Windows host prints besides the host script's ASCII: read rightly, or readable."""

import time

import pytest

from arcferry.fleet.transport.ssh import Result
from arcferry.fleet.transport.windows_text import as_utf8, page_in

NO_PATH = "系統找不到指定的路徑。"
NO_PATH_JP = "指定されたパスが見つかりません。"
NO_PATH_DE = "Der Zugriff für „Größe“ wurde verweigert"
CLIXML = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<Obj S="progress" RefId="0"><MS><PR N="Record"><AV>Preparing modules</AV></PR></MS></Obj>'
    '<S S="Error">x : The term &apos;x&apos; &lt;_x001B_[31m_x000D__x000A_</S>'
    '<S S="Error">At line:1 char:1_x000D__x000A_</S></Objs>'
)


@pytest.mark.parametrize(
    ("printed", "page", "says"),
    [
        (NO_PATH.encode("cp950"), 950, NO_PATH),
        (NO_PATH_JP.encode("cp932"), 932, NO_PATH_JP),
        ("Größe: 5 µs ½".encode("cp437"), 437, "Größe: 5 µs ½"),
        (NO_PATH.encode(), 950, NO_PATH),
        (NO_PATH.encode(), 65001, NO_PATH),
        (NO_PATH.encode("utf-8-sig"), 437, NO_PATH),
        (NO_PATH_DE.encode("utf-16"), 850, NO_PATH_DE),
        (NO_PATH_DE.encode("utf-16-le"), 850, NO_PATH_DE),
        (NO_PATH_DE.encode("utf-16-be"), 0, NO_PATH_DE),
        (f"wsl: {NO_PATH}\r\n".encode("utf-16-le"), 950, f"wsl: {NO_PATH}"),
        (f"\x1b[31m{NO_PATH}\x1b[0m\r\n".encode("cp950"), 950, NO_PATH),
        (CLIXML.encode(), 437, "At line:1 char:1"),
        (CLIXML.replace("At line", NO_PATH).encode("cp950"), 950, f"{NO_PATH}:1 char:1"),
        (CLIXML[:-40].encode(), 0, "x : The term 'x' <"),
        (b"#< CLIXML\r\n", 0, "exit 1"),
        (b"#< CLIXML\r\n#< CLIXML\r\n" + CLIXML.encode(), 437, "At line:1 char:1"),
        (CLIXML.encode() + CLIXML.encode() + b"\r\nlast", 437, "last"),
        (b"#< CLIXML is what it says", 437, "#< CLIXML is what it says"),
        (b"plain", 950, "plain"),
        (b"", 950, "exit 1"),
        (b"\xff\xfe", 950, "exit 1"),
        (b"\0" * 40, 0, "exit 1"),
        ("é".encode("cp850"), 0, "�"),
        ("é".encode("cp1252"), 99_999, "�"),
    ],
)
def test_what_is_shown(printed: bytes, page: int, says: str) -> None:
    assert Result(1, b"", as_utf8(printed, page)).says == says


@pytest.mark.parametrize(
    ("printed", "page"),
    [
        (b"Active code page: 437\r\n", 437),
        ("使用中的字碼頁: 950\r\n".encode("cp950"), 950),
        ("現在のコード ページ: 932\r\n".encode("cp932"), 932),
        (b"Aktive Codepage: 65001.\r\n", 65001),
        (b"", 0),
        (b"'chcp' is not recognized", 0),
        (b"9" * 5000, 0),
        (b"99999", 0),
    ],
)
def test_the_code_page_by_its_number(printed: bytes, page: int) -> None:
    assert page_in(printed) == page


@pytest.mark.parametrize(
    "repeated",
    [CLIXML[:90], "#< CLIXML", '#< CLIXML<Objs><S S="Error">', "<Objs>#< CLIXML ", " \r\n", "_x00", "\0"],
)
def test_hostile_text_takes_no_time(repeated: str) -> None:
    data = b"#< CLIXML" + repeated.encode() * (512 * 1024 // len(repeated))
    started = time.monotonic()
    as_utf8(data, 437)
    assert time.monotonic() - started < 2
