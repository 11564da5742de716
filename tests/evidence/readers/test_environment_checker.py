"""Azure Local's environment checker: its report, and rows of CSV of the connectivity test."""

import json

import pytest

from arcferry.evidence.reading import read_document

_HIS, _LOGIN = "gbl.his.arc.azure.com", "login.microsoftonline.com"
_UNRESOLVED = f"The remote name could not be resolved: '{_HIS}'"


def _result(host: str, status: str, detail: str) -> dict[str, object]:
    more = {"Source": "NODE1", "Detail": detail}
    return {"TargetResourceName": f"https://{host}", "Status": status, "AdditionalData": more}


_FORMS = {
    "CSV": (
        "Source,Port,URL,Layer7Status,Layer7Response,Layer7ResponseTime,Note\n"
        f"NODE1,443,{_HIS},Failed,{_UNRESOLVED},,\n"
        f"NODE1,443,https://{_LOGIN},Success,200,80,\n"
    ),
    "report": json.dumps([_result(_HIS, "FAILURE", _UNRESOLVED), _result(_LOGIN, "SUCCESS", "")]),
}


@pytest.mark.parametrize("text", _FORMS.values(), ids=_FORMS)
def test_the_endpoints_that_it_tried(text: str) -> None:
    seen = [one for document in read_document("x", text.encode()) for one in document.attempts]
    found = {one.host: (one.reachable, one.failure.kind if one.failure else "") for one in seen}
    assert found == {_HIS: (False, "nxdomain"), _LOGIN: (True, "")}


@pytest.mark.parametrize(
    "text", ["a,Url,b\n1,2\n", 'Url,\n"\n', "URL,Status\nhttps://x.example,perhaps\n", "[{}]"]
)
def test_what_is_none_of_it(text: str) -> None:
    assert not [one for document in read_document("x", text.encode()) for one in document.attempts]
