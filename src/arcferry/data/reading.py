"""JSON of Azure's own shapes, which is all that is read of what is held."""

import json

from arcferry.errors import FileInputError
from arcferry.evidence.readers import FILE_LIMIT
from arcferry.evidence.readers.decoding import text_of
from arcferry.numbers import from_json
from arcferry.text import one_line

HINT = (
    "Held are service tags, lists of BGP communities, route filters, circuits and the endpoint catalogue. "
    "Anything else goes to arcferry explain."
)


def parse(name: str, data: bytes) -> object:
    """The JSON value in a file of any usual encoding.

    Raises:
        FileInputError: no JSON, cut short, nested too deeply, or too large.
    """
    if len(data) > FILE_LIMIT:
        raise FileInputError(name, f"larger than the {FILE_LIMIT:,} bytes that are read of such a file")
    text = text_of(data)
    if text is None or not text.lstrip().startswith(("{", "[")):
        raise FileInputError(name, "no JSON, and no endpoint catalogue", hint=HINT)
    try:
        return from_json(text)
    except RecursionError:
        raise FileInputError(name, "JSON that is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        cut = "" if text.rstrip().endswith(("}", "]")) else "cut short: "
        raise FileInputError(
            name, f"{cut}no whole JSON: {error.msg}", line=error.lineno, hint="Fetch the file again."
        ) from None
    except ValueError as error:
        raise FileInputError(name, f"no JSON: it holds {one_line(str(error))}") from None
