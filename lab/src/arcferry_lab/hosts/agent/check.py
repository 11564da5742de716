"""The connectivity check: every required endpoint at once, printed as azcmagent's table."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .clouds import CloudHosts, discover
from .console import Console
from .failure import NetworkError
from .network import AgentHttps, HttpsResponse, is_private

TESTING = (
    "Testing connectivity to endpoints that are needed to connect to Azure... This might take a few minutes."
)
_SECONDS = 5.0
_MAX_CLOCK_OFFSET = 120


@dataclass(frozen=True)
class CheckedEndpoint:
    """One endpoint's result.

    Attributes:
        private: whether it answered from a private address; azcmagent prints `false` for one that never did.
        skew: seconds that this host's clock is ahead of the server's, None where unknown.
    """

    endpoint: str
    reachable: bool
    private: bool
    tls: str
    proxy: str
    failure: str = ""
    skew: float | None = None


@dataclass(frozen=True)
class Connectivity:
    """The check's outcome; `regional_his` is empty where discovery failed."""

    rows: list[CheckedEndpoint]
    regional_his: str

    @property
    def unreachable(self) -> list[str]:
        """The URLs of required endpoints that did not answer."""
        return [row.endpoint for row in self.rows if not row.reachable]

    @property
    def passed(self) -> bool:
        """Whether every required endpoint answered, the region's own among them."""
        return bool(self.regional_his) and not self.unreachable


def test(network: AgentHttps, cloud: CloudHosts, location: str, console: Console) -> Connectivity:
    """Discover the region's service, then ask every endpoint, each within five seconds."""
    regional = ""
    try:
        regional = discover(network, cloud, location)
    except NetworkError as error:
        proxy = "proxy is used" if network.proxy else "proxy is not used"
        console.error("Regional Service Discovery", Error=str(error), Proxy_Status=proxy)
    hosts = cloud.required(location, regional or None)
    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        rows = list(pool.map(lambda host: _ask(network, host), hosts))
    for row in rows:
        _tell(row, console)
    return Connectivity(rows, regional)


def table(rows: list[CheckedEndpoint]) -> str:
    """The pipe-separated table of azcmagent 1.33 and later."""
    width = max(len("ENDPOINT"), *(len(row.endpoint) for row in rows)) + 2
    lines = [f"{'ENDPOINT':<{width}}|{'REACHABLE':<11}|{'PRIVATE':<9}|{'TLS':<9}|PROXY"]
    for row in rows:
        reachable, private = str(row.reachable).lower(), str(row.private).lower()
        lines.append(f"{row.endpoint:<{width}}|{reachable:<11}|{private:<9}|{row.tls:<9}|{row.proxy}")
    return "\n".join(lines)


def run(network: AgentHttps, cloud: CloudHosts, location: str, console: Console) -> bool:
    """The `check` command; False where a required endpoint is unreachable, which the table alone tells.

    Raises:
        AgentError: the location is unknown (AZCM0020).
    """
    console.info(TESTING)
    result = test(network, cloud, location, console)
    if console.as_json:
        console.document({"endpoints": [asdict(row) for row in result.rows], "passed": result.passed})
    else:
        console.out(table(result.rows))
    if result.passed:
        console.debug("All endpoints needed to connect to Azure are available.")
    return result.passed


def unavailable(result: Connectivity, cloud: CloudHosts) -> str:
    """The FATAL line's text of AZCM0026."""
    names = result.unreachable or [f"https://{cloud.global_his}"]
    return f"required endpoints unavailable: {', '.join(names)}"


def _ask(network: AgentHttps, host: str) -> CheckedEndpoint:
    url = f"https://{host}"
    proxy = "set" if network.uses_proxy(host) else "not used"
    try:
        response = network.request("GET", f"{url}/", seconds=_SECONDS)
    except NetworkError as error:
        return CheckedEndpoint(
            url, reachable=False, private=False, tls="unknown", proxy=proxy, failure=str(error)
        )
    private = bool(is_private(response.address))
    return CheckedEndpoint(
        url, reachable=True, private=private, tls=response.tls, proxy=proxy, skew=_skew(response)
    )


def _skew(response: HttpsResponse) -> float | None:
    try:
        server = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return (datetime.now(UTC) - server).total_seconds()


def _tell(row: CheckedEndpoint, console: Console) -> None:
    if row.failure:
        console.debug(f"Checking connectivity to {row.endpoint} failed", Error=row.failure)
    else:
        console.debug(f"{row.endpoint} is available, using cryptographic protocol: {row.tls}")
    if row.skew is not None and abs(row.skew) > _MAX_CLOCK_OFFSET:
        console.error(f"The clock of this machine is {row.skew:.0f} seconds ahead of {row.endpoint}")
