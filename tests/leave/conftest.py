from tests.cli.conftest import arcferry
from tests.export.conftest import key, make_bundle, make_options

__all__ = ["arcferry", "key", "make_bundle", "make_options"]
