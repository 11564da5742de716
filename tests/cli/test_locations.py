"""`arcferry locations`, and a location by any of its names wherever one is taken."""

import json

from tests.cli.running import Run


def test_every_location_stands_on_a_line(arcferry: Run) -> None:
    lines = arcferry("locations").out.splitlines()
    assert len(lines) == 62
    (asia,) = [line.split("  ") for line in lines if line.startswith("eastasia ")]
    assert [cell.strip() for cell in asia if cell] == [
        *("eastasia", "East Asia", "Asia", "12076:51010", "documented", "東亞"),
    ]


def test_json_says_where_each_name_stands(arcferry: Run) -> None:
    document = json.loads(arcferry("locations", "--output", "json").out)
    assert document["kind"] == "locations"
    found = {one["name"]: one for one in document["locations"]}
    assert {one["cloud"] for one in found.values()} >= {"AzureUSGovernment", "AzureChinaCloud"}
    assert found["chinaeast2"]["names"] == {"zh-TW": "中國東部 2", "zh-CN": "中国东部 2"}
    assert found["chinaeast2"]["sources"]["zh-TW"].endswith("2020-07-31")
    assert "zh-TW" not in found["chinanorth3"]["names"]


def test_a_plan_for_a_location_by_its_chinese_name(arcferry: Run) -> None:
    ended = arcferry("routes", "plan", "--location", "東亞", "--output", "json")
    assert (ended.code, '"eastasia"' in ended.out) == (0, True)
