"""What a command judges by: the files it was given, and what is held of the kinds that they lack."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arcferry.catalog import Cloud
    from arcferry.diagnosis.document import Document


def documents_with(files: Sequence[Path], cloud: "Cloud") -> "tuple[Document, ...]":
    """The documents of these files, then the held ones of other kinds.

    Raises:
        InputError: a file is not recognised, or something is wrong in it.
    """
    from arcferry import data
    from arcferry.diagnosis.document import Kind
    from arcferry.diagnosis.readers import FILE_LIMIT, read_document
    from arcferry.errors import FileInputError
    from arcferry.files import read_bounded

    given: list[Document] = []
    for path in files:
        documents = read_document(path.name, read_bounded(path, limit=FILE_LIMIT))
        if all(one.kind is Kind.UNRECOGNISED for one in documents):
            raise FileInputError(
                path,
                "not recognised",
                hint="Known here: route filters, circuits, route tables, service tags, community lists.",
            )
        given += documents
    held = data.documents(data.Store(data.data_folder()), cloud, besides={one.kind for one in given})
    return (*given, *held)
