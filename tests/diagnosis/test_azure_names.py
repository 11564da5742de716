"""Names out of Azure's messages: whole, of their form, or a placeholder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.diagnosis.azure_names import NAMES, azure_name

ID, OTHER = "22222222-3333-4444-5555-666666666666", "66666666-7777-8888-9999-000000000000"
SCOPE = f"/subscriptions/{ID}/resourceGroups"


@pytest.mark.parametrize(
    ("name", "messages", "found"),
    [
        ("subscription", f"over scope '{SCOPE}/rg-arc/providers/x'", ID),
        ("subscription", "The subscription 'prod-arc' could not be found.", "SUBSCRIPTION"),
        ("resource_group", f"over scope '{SCOPE}/rg-arc/providers/x'", "rg-arc"),
        ("resource_group", f"denied in {SCOPE}/rg-arc.", "rg-arc"),
        ("resource_group", f"in {SCOPE.lower()}/RG.Arc_1", "RG.Arc_1"),
        # A name that ends at a parenthesis, or at a letter of another script, may go on behind it.
        ("resource_group", f"(in {SCOPE}/rg-arc)", "GROUP"),
        ("resource_group", f"in {SCOPE}/rg(1)/providers", "GROUP"),
        ("resource_group", f"in {SCOPE}/rg-機房/providers", "GROUP"),
        ("resource_group", f"in {SCOPE}/rg(1)/x and {SCOPE}/rg-2/y", "rg-2"),
        ("resource_group", f"in {SCOPE}/{'x' * 91}", "GROUP"),
        ("provider", "未註冊為使用命名空間 'Microsoft.GuestConfiguration'。", "Microsoft.GuestConfiguration"),
        ("provider", "not registered to use namespace 'Microsoft.Storage'", "Microsoft.HybridCompute"),
        (
            "action",
            "action 'Microsoft.HybridCompute/machines/read' over",
            "Microsoft.HybridCompute/machines/read",
        ),
        ("action", "is not authorized", ""),
        ("principal", f"The client '{ID}' with object id '{OTHER}' does not", OTHER),
        ("application", f"The client '{ID}' with object id '{OTHER}' does not", ID),
        ("application", f"keys for app '{ID}' are expired", ID),
        ("application", f"Application with identifier '{ID}' was not found", ID),
        ("tenant", f"Tenant '{ID}' not found", ID),
        ("tenant", "Access to 'Contoso' tenant is denied.", "TENANT_ID"),
        ("policy", "…/policyAssignments/require-tag\"}}]'", "require-tag"),
        ("policy", "was disallowed by policy", ""),
    ],
)
def test_a_name_in_a_message(name: str, messages: str, found: str) -> None:
    assert azure_name(name, messages) == found


@given(st.text(max_size=200))
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_word(name: str, messages: str) -> None:
    assert not set(azure_name(name, messages)) & set(" ;|&<>$`'\"\\%!\r\n*?()")
