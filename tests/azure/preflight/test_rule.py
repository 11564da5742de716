"""Rules of policies and lists of rights, asked without Azure: yes, no, or not to be told."""

from typing import Any

import pytest

from arcferry.azure.preflight.policy.expression import UNKNOWN, value_of
from arcferry.azure.preflight.policy.rule import Candidate, holds
from arcferry.azure.preflight.rights import rights_from


def machine(tags: dict[str, str] | None = None) -> Candidate:
    values = {"places": ["westeurope", "East Asia"], "tag": "environment", "places of others": [1, None]}
    known = {"environment": "Prod", "Cost-Center": "1"} if tags is None else tags
    return Candidate("web01", "eastasia", known, "rg-arc", "number", values)


TAG = "[concat('tags[', parameters('tag'), ']')]"
TRUE: Any = {"field": "type", "equals": "microsoft.hybridcompute/MACHINES"}
FALSE: Any = {"field": "type", "equals": "Microsoft.Compute/virtualMachines"}
OPEN: Any = {"field": "Microsoft.HybridCompute/machines/osName", "equals": "linux"}
RULES: dict[str, tuple[object, bool | None]] = {
    "type": (TRUE, True),
    "another type": (FALSE, False),
    "an alias": (OPEN, None),
    "all, one false": ({"allOf": [OPEN, FALSE]}, False),
    "all, one open": ({"allOf": [OPEN, TRUE]}, None),
    "any, one true": ({"anyOf": [OPEN, TRUE]}, True),
    "any, one open": ({"anyOf": [OPEN, FALSE]}, None),
    "not open": ({"not": OPEN}, None),
    "not": ({"not": FALSE}, True),
    "in": ({"field": "location", "in": "[parameters('places')]"}, True),
    "notIn": ({"field": "location", "notIn": ["westeurope"]}, True),
    "in no list": ({"field": "location", "in": "eastasia"}, None),
    "in what is not given": ({"field": "location", "in": "[parameters('gone')]"}, None),
    "like": ({"field": "location", "like": "east*"}, True),
    "notLike": ({"field": "name", "notLike": "db*"}, True),
    "like twice": ({"field": "name", "like": "*w*"}, None),
    "contains": ({"field": "name", "contains": "EB0"}, True),
    "tag there": ({"field": TAG, "exists": "true"}, True),
    "tag there, as a bool": ({"field": "tags['Environment']", "exists": False}, False),
    "tag by dot": ({"field": "tags.cost-center", "equals": "1"}, True),
    "tag gone": ({"field": "tags[owner]", "exists": "false"}, True),
    "tag gone is not a value": ({"field": "tags[owner]", "notEquals": "x"}, True),
    "tag gone or empty": ({"field": "tags[owner]", "equals": ""}, None),
    "tags": ({"field": "tags", "containsKey": "environment"}, True),
    "value": ({"value": "[field('type')]", "exists": True}, True),
    "value of the group": ({"value": "[resourceGroup().name]", "equals": "RG-ARC"}, True),
    "tags of the group": ({"value": "[resourceGroup().tags['x']]", "notEquals": ""}, None),
    "lower": ({"value": "[toLower(field('name'))]", "equals": "web01"}, True),
    "a function nobody knows": ({"value": "[split('a', 'b')]", "equals": "a"}, None),
    "count": ({"count": {"field": "x[*]"}, "greater": 1}, None),
    "greater": ({"field": "name", "greater": 1}, None),
    "nothing": ({}, None),
    "no rule": (None, None),
    "a list": ([TRUE], None),
    "all of nothing known": ({"allOf": 5}, None),
    "an expression that ends": ({"field": "[concat('tags[', ", "exists": True}, None),
    "an expression with a rest": ({"field": "[concat('a') concat('b')]", "exists": True}, None),
    "letter case of words": ({"ALLOF": [{"Field": "type", "Equals": TRUE["equals"]}]}, True),
}


@pytest.mark.parametrize("case", RULES)
def test_a_rule(case: str) -> None:
    rule, expected = RULES[case]
    assert holds(rule, machine()) is expected


def test_tags_that_are_not_known_leave_it_open() -> None:
    candidate = machine()
    candidate.tags = None
    assert holds({"field": TAG, "exists": "false"}, candidate) is None
    assert candidate.seen == {"environment"}


def test_a_rule_without_end_is_left_open() -> None:
    rule: dict[str, Any] = {}
    for _ in range(3000):
        rule = {"not": rule}
    assert holds(rule, machine()) is None


EXPRESSIONS = {
    "plain": "plain",
    "[[escaped]": "[escaped]",
    "[concat('it''s', '1')]": "it's1",
    "[subscription().subscriptionId]": "number",
    "[parameters('places')[0]]": UNKNOWN,
    "[1]": 1,
    "[]": UNKNOWN,
    "[(((((]": UNKNOWN,
    "[concat(" + "concat(" * 400 + "]": UNKNOWN,
    "[" + "x" * 5000 + "]": UNKNOWN,
    "[field('kind')]": UNKNOWN,
}


@pytest.mark.parametrize("text", EXPRESSIONS, ids=lambda text: text[:40])
def test_an_expression(text: str) -> None:
    assert value_of(text, machine()) == EXPRESSIONS[text]


WRITE = "Microsoft.HybridCompute/machines/write"
RIGHTS: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "named": ([{"actions": [WRITE]}], True),
    "in another letter case": ([{"actions": [WRITE.upper()]}], True),
    "everything": ([{"actions": ["*"], "notActions": []}], True),
    "of the provider": ([{"actions": ["Microsoft.HybridCompute/*"]}], True),
    "by its verb": ([{"actions": ["*/write"]}], True),
    "reading": ([{"actions": ["*/read"]}], False),
    "taken out": ([{"actions": ["*"], "notActions": ["Microsoft.HybridCompute/*/write"]}], False),
    "taken out of one, given by another": (
        [{"actions": ["*"], "notActions": ["*/write"]}, {"actions": [WRITE]}],
        True,
    ),
    "data alone": ([{"actions": [], "dataActions": ["*"]}], False),
    "a dot is a dot": ([{"actions": ["Microsoft?HybridCompute/machines/write"]}], False),
    "none": ([], False),
    "odd": ([{"actions": None}, {"actions": [5, None]}, {}], False),
}


@pytest.mark.parametrize("case", RIGHTS)
def test_a_right(case: str) -> None:
    documents, expected = RIGHTS[case]
    assert rights_from(documents).allow(WRITE) is expected
