import inspect

import pytest

from arcferry import errors

TREE = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, errors.ArcferryError)
]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_the_tree_at_the_top_names_every_error_with_its_code(kind: type[errors.ArcferryError]) -> None:
    line = next(line for line in (errors.__doc__ or "").splitlines() if kind.__name__ in line.split())
    if kind is not errors.ArcferryError:
        assert str(kind.exit_code) in line.split()


def test_near_names_are_offered() -> None:
    error = errors.UnknownNameError("location", "eastasai", ["eastasia", "westeurope"])
    assert (error.exit_code, error.hint) == (2, "Did you mean eastasia?")


def test_without_a_near_name_some_known_ones_are() -> None:
    assert errors.UnknownNameError("cloud", "zzz", ["AzureCloud"]).hint == "Known: AzureCloud"


def test_a_file_error_names_the_line() -> None:
    assert errors.FileInputError("hosts.csv", "bad port", line=7).message == "hosts.csv:7: bad port"
