from arcferry.errors import ArcferryError


class LabError(ArcferryError):
    """The twin could not be started, found or changed."""
