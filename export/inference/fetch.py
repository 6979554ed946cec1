"""Fetch one picture by its address, http or https: limits on bytes, time and redirects, no private addresses."""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from train.common.errors import DataError

MAX_BYTES = 64 << 20
MAX_SECONDS = 30.0
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PIECE = 1 << 16
# RFC 6052: IPv4 addresses as IPv6 ones, private ones among them.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Resolve = Callable[[str, int], list[str]]


def read_address(address: str) -> bytes:
    """Return what an address has, or raise DataError in one sentence.

    At most MAX_BYTES, MAX_SECONDS in all and MAX_REDIRECTS. Every host, also one that is redirected to, must resolve to
    public addresses only, and the connection goes to the address that was looked at.
    """
    return fetch_with(address, _resolve)


def fetch_with(address: str, resolve: Resolve, *, is_allowed: Callable[[str], bool] | None = None) -> bytes:
    """`read_address` with another way to resolve names and to tell public addresses; both are for tests."""
    deadline = time.monotonic() + MAX_SECONDS
    here = address
    for _ in range(MAX_REDIRECTS + 1):
        connection, path = _connection(here, address, resolve, is_allowed or is_public, deadline)
        # A server that sends a byte now and then would never run into the time limit of a single read.
        watch = threading.Timer(max(0.1, deadline - time.monotonic()), _cut, (connection,))
        watch.daemon = True
        try:
            watch.start()
            connection.request("GET", path, headers={"User-Agent": "fauxlens", "Accept": "image/*"})
            response = connection.getresponse()
            if response.status in _REDIRECTS:
                here = urljoin(here, response.getheader("Location") or "")
                continue
            if response.status != 200:
                raise DataError(f"{address} answers with status {response.status}: check the address.")
            return _body(response, connection, address, deadline)
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= deadline:
                raise _late(address) from error
            raise DataError(
                f"{address} cannot be fetched ({_reason(error)}): check the address, or try later."
            ) from error
        finally:
            watch.cancel()
            connection.close()
    raise DataError(f"{address} redirects more than {MAX_REDIRECTS} times: download the picture first.")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also inside of IPv6 forms of IPv4 addresses."""
    number = ipaddress.ip_address(address)
    if isinstance(number, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF) if number in _NAT64 else None
        number = number.ipv4_mapped or number.sixtofour or translated or number
    return number.is_global and not number.is_multicast


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _connection(
    here: str, address: str, resolve: Resolve, is_allowed: Callable[[str], bool], deadline: float
) -> tuple[http.client.HTTPConnection, str]:
    """A connection to an address that was resolved and allowed, and the path to ask for."""
    try:
        parts = urlsplit(here)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise DataError(f"{address} is not a valid address: check it.") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or any(one in here for one in "\r\n\t "):
        raise DataError(f"{address} is not an http or https address (it leads to {parts.scheme or 'nothing'}).")
    try:
        numbers = resolve(host, port)
    except OSError as error:
        raise DataError(f"{address} cannot be fetched ({_reason(error)}): check the address.") from error
    if not numbers or not all(map(is_allowed, numbers)):
        raise DataError(f"{address} leads to a private address ({host}), which is not allowed: download it first.")
    timeout = max(0.1, deadline - time.monotonic())
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    # The name is not resolved a second time: it could lead elsewhere by then.
    connection._create_connection = lambda _, *more: socket.create_connection((numbers[0], port), timeout)  # type: ignore[attr-defined]
    path = parts.path or "/"
    return connection, f"{path}?{parts.query}" if parts.query else path


def _body(
    response: http.client.HTTPResponse, connection: http.client.HTTPConnection, address: str, deadline: float
) -> bytes:
    data = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(address)
        if connection.sock is not None:
            connection.sock.settimeout(left)
        piece = response.read1(_PIECE)
        if not piece:
            return bytes(data)
        data += piece
        if len(data) > MAX_BYTES:
            raise DataError(f"{address} has more than {MAX_BYTES >> 20} MB: download a smaller picture.")


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _late(address: str) -> DataError:
    return DataError(f"{address} takes more than {MAX_SECONDS:.0f} seconds: download the picture first.")


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
