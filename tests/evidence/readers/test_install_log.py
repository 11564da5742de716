"""Logs of Windows Installer in the languages of Windows: numbers and places decide, words do not."""

import pytest

from arcferry.evidence.readers import install_log

_HEAD = (
    "=== Verbose logging started: 1/10/2026  9:12:40  Build type: SHIP ===\nMSI (s) (9C:30) "
    "[09:12:40:118]: x\n"
)


def codes(text: str) -> list[str]:
    document = install_log.read("log", _HEAD + text)
    assert document is not None
    return [code.code for code in document.codes]


@pytest.mark.parametrize(
    "message",
    [
        "Product: Azure Connected Machine Agent -- Error 1920. Service 'x' (himds) failed to start.",
        (
            "Produkt: Azure Connected Machine Agent -- Fehler 1920. Der Dienst 'x' (himds) konnte nicht "
            "gestartet werden."
        ),
        "Product: Azure Connected Machine Agent -- エラー 1920。サービス 'x' を開始できませんでした。",
        "產品: Azure Connected Machine Agent -- 錯誤 1920。服務 'x' (himds) 無法啟動。",
        "产品: Azure Connected Machine Agent -- 错误 1920。服务“x”(himds)无法启动。",
        "Erreur 1920. Le service 'x' (himds) n'a pas pu démarrer.",
        "MSI (s) (9C:30) [09:12:40:118]: Product: Azure Connected Machine Agent -- Error 1920. Service",
    ],
)
def test_a_message_in_every_language(message: str) -> None:
    assert codes(f"{message}\nMSI (s) (9C:30) [09:12:41:000]: MainEngineThread is returning 1603") == [
        "msi error 1920",
        "msiexec 1603",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Action ended 10:21:09: InstallFinalize. Return value 3.",
        "Aktion beendet um 10:21:09: InstallFinalize. Rückgabewert 3.",
        "アクション終了 10:21:09: InstallFinalize。戻り値 3。",
        "操作结束 10:21:09: InstallFinalize。返回值 3。",
        "Fin de l'action 10:21:09: InstallFinalize. Valeur renvoyée 3.",
    ],
)
def test_the_action_that_failed_is_named_in_every_language(line: str) -> None:
    document = install_log.read("log", f"{_HEAD}{line}\nMainEngineThread is returning 1603")
    assert document is not None
    assert document.codes[-1].says.endswith("the action that failed is InstallFinalize")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("0", ["msiexec 0"]),
        ("3010", ["msiexec 3010"]),
        ("1618", ["msiexec 1618"]),
        ("99999", ["msiexec 99999"]),
    ],
)
def test_how_it_ended(number: str, expected: list[str]) -> None:
    assert codes(f"MSI (c) (A4:18) [09:12:44:120]: MainEngineThread is returning {number}") == expected


def test_the_last_of_several_installations_counts() -> None:
    assert codes("MainEngineThread is returning 1603\nMainEngineThread is returning 0") == ["msiexec 0"]


def test_internal_messages_and_notes_are_not_errors() -> None:
    text = "DEBUG: Error 1920:  x\nNote: 1: 1920\nInfo 1601. x\nMainEngineThread is returning 1603"
    assert codes(text) == ["msiexec 1603"]


def test_a_log_cut_short_says_so() -> None:
    document = install_log.read("log", _HEAD + "MSI (s) (9C:30) [09:12:41:118]: y")
    assert document is not None
    assert document.notes == ("the log ends before the installation does",)


@pytest.mark.parametrize("text", ["", "Error 1920. x", "Return value 3", "MSI", "MSI (c)"])
def test_what_is_no_log(text: str) -> None:
    assert install_log.read("log", text) is None


def test_a_record_s_raw_fields_are_no_status() -> None:
    """As Wine's msiexec logs the end of an installation that went well."""
    text = """\
MSI (s) (A0:14) [08:00:01:000]: Doing action: InstallFinalize
MSI (s) (A0:14) [08:00:02:000]: Product: Azure Connected Machine Agent -- Installed.
1: Azure Connected Machine Agent 2: {0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A01} 3: 1
"""
    document = install_log.read("log", text)
    assert document
    assert document.codes == ()
