"""A server behind TLS is watched like any other, and one that nobody vouches for is refused."""

import asyncio
import contextlib
import ssl
import threading

import pytest

from agent.collector import CollectionFailed
from agent.collectors import make
from tests.agent.probed_services import chain_in
from tests.agent.redis_servers import serving
from watchkeeper.errors import Reason

pytestmark = pytest.mark.live

BROKER = {"host": "localhost", "user": None, "password": "", "tls": True}
QUEUES = {
    "celery": {"db": 0, "key_prefix": "", "queues": ["a"]},
    "rq": {"db": 0, "queues": ["b"]},
    "dramatiq": {"db": 0, "namespace": "dramatiq", "queues": ["c"]},
    "redis": {},
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return chain_in(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls_port(certificates, tmp_path_factory):
    """A real server behind a relay that ends TLS; the wheel's own is built without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    with serving(tmp_path_factory.mktemp("server")) as (port, _), relay(port, context) as relayed:
        yield relayed


@contextlib.contextmanager
def relay(port, context):
    loop = asyncio.new_event_loop()

    async def copy(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))

    server = loop.run_until_complete(asyncio.start_server(serve, "localhost", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    server.close()
    for task in asyncio.all_tasks(loop):
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


@pytest.mark.parametrize("kind", QUEUES)
def test_a_server_is_told_of_over_tls(tls_port, certificates, kind):
    trusting = {"port": tls_port, "certificates": str(certificates.authority)}
    collector = make(kind, BROKER | QUEUES[kind] | trusting)
    told = {family.metric.name for family in collector.collect()}
    told |= {family.metric.name for family in collector.collect()}
    collector.close()
    assert told & {"redis_memory_used_bytes", "task_queue_depth"}


def test_a_certificate_nobody_vouches_for_is_refused(tls_port):
    with pytest.raises(CollectionFailed, match="certificate") as caught:
        list(make("redis", BROKER | {"port": tls_port}).collect())
    assert caught.value.reason is Reason.CONNECTION
