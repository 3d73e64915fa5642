"""Services are open on loopback only, unless they ask for a token."""

import pytest

from watchkeeper.errors import ConfigError
from watchkeeper.listen import Listen, parse_listen, require_guarded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8301", Listen("127.0.0.1", 8301)),
        ("[::1]:0", Listen("::1", 0)),
        ("localhost:80", Listen("localhost", 80)),
    ],
)
def test_host_and_port_are_read(text, expected):
    assert parse_listen(text) == expected


@pytest.mark.parametrize("text", ["8301", ":8301", "host:", "host:x", "host:70000", ""])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match=r"expected HOST:PORT such as 127\.0\.0\.1:8301"):
        parse_listen(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_loopback_needs_no_token(host):
    require_guarded(Listen(host, 1), None)
    assert Listen(host, 1).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_other_machines_need_a_token(host):
    with pytest.raises(ConfigError, match="without authentication"):
        require_guarded(Listen(host, 1), None)
    require_guarded(Listen(host, 1), "token")
