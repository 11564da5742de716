"""Extensions and licenses as ARM keeps them."""

import pytest
from tests.lab.azure.control import Control

pytestmark = pytest.mark.lab
MACHINE = "Microsoft.HybridCompute/machines/web01"
ONE = f"{MACHINE}/extensions/monitor"
LICENSES = "Microsoft.HybridCompute/licenses"
PROPERTIES = {
    "publisher": "Microsoft.Azure.Monitor",
    "type": "AzureMonitorLinuxAgent",
    "typeHandlerVersion": "1.33",
    "settings": {"proxy": "none"},
    "protectedSettings": {"key": "of nobody's business"},
}
BODY = {"location": "eastasia", "properties": PROPERTIES}


async def test_an_extension_is_installed_changed_and_removed(control: Control) -> None:
    await control.ask("PUT", MACHINE, {"location": "eastasia"})
    begun = await control.ask("PUT", ONE, BODY)
    assert (begun.status, begun.body["properties"]["provisioningState"]) == (200, "Creating")
    assert "protectedSettings" not in begun.body["properties"]
    await control.ended(begun)
    shown = (await control.ask("GET", ONE.replace("web01", "WEB01"))).body
    assert shown["properties"]["instanceView"]["status"]["code"] == "0"
    assert shown["properties"]["settings"] == {"proxy": "none"}
    changed = await control.ask("PATCH", ONE, {"properties": {"enableAutomaticUpgrade": True}})
    assert changed.status == 202
    await control.ended(changed)
    listed = (await control.ask("GET", f"{MACHINE}/extensions")).body["value"]
    assert [one["properties"]["enableAutomaticUpgrade"] for one in listed] == [True]
    target = {"Microsoft.Azure.Monitor.AzureMonitorLinuxAgent": {"targetVersion": "1.35"}}
    upgraded = await control.ask("POST", f"{MACHINE}/upgradeExtensions", {"extensionTargets": target})
    await control.ended(upgraded)
    assert (await control.ask("GET", ONE)).body["properties"]["typeHandlerVersion"] == "1.35"
    await control.ended(await control.ask("DELETE", ONE))
    assert (await control.ask("GET", ONE)).code == "ResourceNotFound"
    assert (await control.ask("DELETE", ONE)).status == 204


async def test_extensions_go_with_their_machine(control: Control) -> None:
    await control.ask("PUT", MACHINE, {"location": "eastasia"})
    await control.ended(await control.ask("PUT", ONE, BODY))
    await control.ask("DELETE", MACHINE)
    await control.ask("PUT", MACHINE, {"location": "eastasia"})
    assert (await control.ask("GET", f"{MACHINE}/extensions")).body == {"value": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"{MACHINE.replace('01', '02')}/extensions/x", BODY, 404, "ResourceNotFound"),
        (ONE, {"properties": PROPERTIES}, 400, "LocationRequired"),
        (ONE, {"location": "eastasia", "properties": {}}, 400, "InvalidRequestContent"),
        (ONE, {"location": "eastasia", "properties": [1]}, 400, "InvalidRequestContent"),
        (f"{LICENSES}/esu", {"properties": {}}, 400, "LocationRequired"),
        (f"{LICENSES}/esu", {"location": "eastasia", "properties": "x"}, 400, "InvalidRequestContent"),
    ],
)
async def test_what_is_wrong_is_refused(
    control: Control, path: str, body: dict[str, object], status: int, code: str
) -> None:
    await control.ask("PUT", MACHINE, {"location": "eastasia"})
    answer = await control.ask("PUT", path, body)
    assert (answer.status, answer.code) == (status, code)


async def test_a_license_is_made_activated_and_deleted(control: Control) -> None:
    details = {"state": "Deactivated", "target": "Windows Server 2012", "processors": 8}
    body = {"location": "eastasia", "properties": {"licenseDetails": details}}
    made = await control.ask("PUT", f"{LICENSES}/esu", body)
    assert made.status == 200
    await control.ended(made)
    active = {"properties": {"licenseDetails": details | {"state": "Activated"}}}
    await control.ended(await control.ask("PATCH", f"{LICENSES}/esu", active))
    (listed,) = (await control.ask("GET", LICENSES)).body["value"]
    assert listed["properties"]["licenseDetails"]["state"] == "Activated"
    assert listed["properties"]["licenseType"] == "ESU"
    await control.ended(await control.ask("DELETE", f"{LICENSES}/esu"))
    assert (await control.ask("GET", LICENSES)).body == {"value": []}
