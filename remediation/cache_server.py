"""A connection to a server that speaks the Redis protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from remediation.targets.cache import RedisAddress
from watchkeeper.errors import Reason, UpstreamError

COMMAND_SECONDS = 5.0


@contextmanager
def connected(address: RedisAddress) -> Iterator[redis.Redis]:
    """Yield a client; what fails inside becomes an UpstreamError that names the server."""
    client = redis.Redis(
        host=address.host,
        port=address.port,
        db=address.database,
        password=address.password.reveal() if address.password else None,
        socket_timeout=COMMAND_SECONDS,
        socket_connect_timeout=COMMAND_SECONDS,
        # The client would try for half a minute by itself; whether to try again is not ours
        # to say but that of whoever asked for the action.
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield client
    except redis.TimeoutError as error:
        raise UpstreamError(
            f"cache server {address.host}:{address.port}: {error}", reason=Reason.TIMEOUT
        ) from None
    except redis.RedisError as error:
        raise UpstreamError(f"cache server {address.host}:{address.port}: {error}") from None
    finally:
        client.close()
