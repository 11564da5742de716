from tests.windows_host import windows

__all__ = ["windows"]
