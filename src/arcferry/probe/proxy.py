from ipaddress import ip_address

from arcferry.probe import deadlines
from arcferry.probe.dns import resolve
from arcferry.probe.http import Response, ask_to_connect
from arcferry.probe.observation import Stage
from arcferry.probe.resolvers import Resolvers
from arcferry.probe.settings import Proxy, join_port
from arcferry.probe.step import Budget, StepError, failed, time_limit
from arcferry.probe.stream import Stream
from arcferry.probe.tcp import connect

_OK = range(200, 300)
_AUTHENTICATION_REQUIRED = 407
_NO_WAY = (502, 503, 504)
_NO_CONNECT = (405, 501)
_NO_NAME = ("nxdomain", "no-addresses")


async def open_tunnel(proxy: Proxy, host: str, port: int, resolvers: Resolvers, budget: Budget) -> Stream:
    """A stream to `host:port` through the proxy, which also resolves the name.

    Raises:
        StepError: the proxy cannot be reached, wants credentials, or does not let this through.
    """
    stream = await _reach(proxy, resolvers, budget)
    try:
        place = join_port(host, port)
        seconds = budget.step(deadlines.CONNECT)
        doing = f"waiting for {proxy} to connect to {place}"
        async with time_limit(Stage.PROXY, seconds, doing):
            answer = await _ask(proxy, place, stream)
        _judge(proxy, place, answer)
    except BaseException:
        await stream.close()
        raise
    return stream


async def _reach(proxy: Proxy, resolvers: Resolvers, budget: Budget) -> Stream:
    try:
        addresses = await _addresses(proxy, resolvers, budget)
        connected = await connect(addresses, proxy.port, budget.step(deadlines.TCP))
    except StepError as error:
        nameless = error.failure.stage is Stage.DNS and error.failure.kind in _NO_NAME
        kind = "proxy-name-not-found" if nameless else "proxy-unreachable"
        says = f"the proxy {proxy} cannot be reached: {error.failure.says}"
        raise failed(Stage.PROXY, kind, says) from error
    return await Stream.over(connected.sock)


async def _ask(proxy: Proxy, place: str, stream: Stream) -> Response:
    try:
        return await ask_to_connect(place, stream.send, stream.receive)
    except StepError as error:
        if error.failure.kind != "not-http":
            raise
        says = f"what answers at {proxy} is no HTTP proxy: {error.failure.says}"
        raise failed(Stage.PROXY, "proxy-not-http", says) from error


async def _addresses(proxy: Proxy, resolvers: Resolvers, budget: Budget) -> tuple[str, ...]:
    try:
        return (str(ip_address(proxy.host)),)
    except ValueError:
        pass
    lookup = await resolve(proxy.host, resolvers, budget.step(deadlines.DNS))
    if lookup.failure:
        raise StepError(lookup.failure)
    return lookup.answer.addresses


def _judge(proxy: Proxy, place: str, answer: Response) -> None:
    if answer.status in _OK:
        return
    words = f"{answer.status} {answer.reason}".strip()
    if answer.status == _AUTHENTICATION_REQUIRED:
        says = f"the proxy {proxy} wants credentials for {place} ({words}); the agent does not support that"
        raise failed(Stage.PROXY, "proxy-authentication-required", says)
    if answer.status in _NO_CONNECT:
        says = f"what answers at {proxy} is a web server, not a proxy: {words} to CONNECT {place}"
        raise failed(Stage.PROXY, "proxy-not-http", says)
    if answer.status in _NO_WAY:
        says = f"the proxy {proxy} is reached, and does not reach {place} itself: {words}"
        raise failed(Stage.PROXY, "proxy-cannot-reach", says)
    raise failed(Stage.PROXY, "proxy-refused", f"the proxy {proxy} does not connect to {place}: {words}")
