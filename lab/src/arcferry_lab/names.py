"""Host names that the twin's DNS and the twin's services both hand out."""

from arcferry import catalog


def his_code(region: str) -> str:
    """The short name in a region's HIS host; the twin uses the region's own where the real one is unknown."""
    return catalog.region(region).his_code or region


def bus_host(region: str) -> str:
    """The Service Bus name of a region, in the shape that public lists show."""
    return f"azgn-{region}-public-1p-twin-001.servicebus.windows.net"
