"""Beside the real exporters: the same names, types, labels and values, and every difference named.

The exporters run here and now; nothing they say is typed by hand.
"""

import contextlib
import json
import random
from pathlib import Path

import pytest
import yaml

from agent.configured import read_recipes
from agent.once import collect_once
from benchmarks import exporters
from benchmarks.scraped import Scraped
from tests.agent.told import Told
from tests.ports import free_port

pytestmark = pytest.mark.live

ABOUT_ITSELF = (
    "go_", "process_", "promhttp_", "node_exporter_", "node_scrape_", "pg_exporter_",
    "postgres_exporter_", "redis_exporter_", "redis_target_", "redis_last_key_groups_",
    "pg_scrape_", "pg_up", "redis_up",
)  # fmt: skip
"""What an exporter says of itself and its scrapes; ours says that under ``watchkeeper_``."""

LEFT_OUT = {
    "node_network_speed_bytes": "told of links that know their speed, not as -125000",
    "pg_stat_archiver_last_archive_age": "told once something was archived, not as NaN",
    "pg_stat_database_checksum_last_failure": "told once there was one, not as NaN",
    "pg_stat_database_stats_reset_total": "told once they were reset, not as NaN",
    "node_textfile_scrape_error": "no textfile directory is configured",
    "redis_db_keys_cached": "Valkey only, and always 0",
    "redis_db_avg_ttl_seconds": "told only for databases with keys",
}
"""Families of an exporter that ours does not have here, and why."""

OTHER_LABELS = {
    "node_network_info": "adminstate, which node_exporter has since 1.6",
}
"""Families whose labels differ from Debian's older exporter, and why."""

LIVELY = (
    "node_disk_io_now",
    "node_memory_", "node_load", "node_procs_", "node_sockstat_", "node_entropy_", "node_filefd_",
    "pg_stat_activity_", "pg_locks_", "pg_stat_database_numbackends", "redis_mem", "redis_alloc",
    "redis_client", "redis_latency", "redis_connected", "redis_last_slow", "redis_rdb_",
    "node_filesystem_", "redis_expired_stale", "redis_used", "redis_db_keys", "node_udp",
    "redis_memory", "pg_stat_archiver_last", "redis_tracking", "redis_io", "redis_active",
    "node_time_seconds", "node_timex_", "node_nf_", "node_arp", "node_vmstat_", "node_netstat_",
)  # fmt: skip
"""Gauges that move by themselves between two readings."""


QUERIES = """
shop_schema:
  query: |
    SELECT nspname AS schema, count(*) AS relations, sum(relpages) AS pages, 'x{y}' AS ignored,
           true AS is_there, pg_postmaster_start_time() AS started
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace GROUP BY nspname  -- and no more
  master: true
  cache_seconds: 30
  metrics:
    - schema: {usage: LABEL, description: Name of the schema}
    - relations: {usage: GAUGE, description: Relations in it}
    - pages: {usage: COUNTER, description: Their pages}
    - ignored: {usage: DISCARD}
    - is_there: {usage: GAUGE, description: Whether it is there}
    - started: {usage: GAUGE, description: Start of the server}
"""
"""A file as it is given to postgres_exporter by ``--extend.query-path``."""


@pytest.fixture(scope="module")
def programs():
    try:
        return exporters.find(Path.home() / ".cache" / "watchkeeper" / "exporters")
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def side_by_side(programs, postgres_port, valkey_port, tmp_path_factory):
    """(theirs before, ours, theirs after), all read within moments."""
    config = tmp_path_factory.mktemp("parity") / "agent.yml"
    queries = config.parent / "queries.yaml"
    queries.write_text(QUERIES)
    config.write_text(
        f"redis: [{{port: {valkey_port}}}]\n"
        f"postgres: [{{port: {postgres_port}, database: taskboard, user: postgres,\n"
        f"            queries: {json.dumps(yaml.safe_load(QUERIES))}}}]\n"
    )
    ports = [free_port() for _ in programs]
    options = (
        [f"--web.listen-address=127.0.0.1:{ports[0]}"],
        [f"--web.listen-address=127.0.0.1:{ports[1]}", f"--extend.query-path={queries}"],
        [
            f"-web.listen-address=127.0.0.1:{ports[2]}",
            f"-redis.addr=redis://127.0.0.1:{valkey_port}",
        ],
    )
    dsn = f"postgresql://postgres@127.0.0.1:{postgres_port}/taskboard?sslmode=disable"
    with contextlib.ExitStack() as stack:
        theirs = []
        for program, arguments, port in zip(programs.values(), options, ports, strict=True):
            command = [str(program), *arguments]
            process = Scraped(program.name, command, port, {"DATA_SOURCE_NAME": dsn})
            stack.callback(process.stop)
            process.wait_until_it_answers()
            theirs.append(process)

        def scrape():
            return Told.read("".join(process.scrape()[1].decode() for process in theirs))

        before = scrape()
        ours = Told.read(collect_once(read_recipes(config), random.Random(1)).decode())
        yield before, ours, scrape()


def test_every_family_of_the_exporters_is_ours_too(side_by_side):
    before, ours, after = side_by_side
    missing = (
        (before.names(ABOUT_ITSELF) & after.names(ABOUT_ITSELF))
        - ours.names(ABOUT_ITSELF)
        - set(LEFT_OUT)
    )
    assert not missing, "\n".join(sorted(missing))


def test_a_users_own_questions_are_told_as_the_exporter_tells_them(side_by_side):
    before, ours, _ = side_by_side
    columns = ("relations", "pages_total", "is_there", "started")  # the parser adds _total
    names = {f"shop_schema_{column}" for column in columns}
    assert {name for name in before.names() if name.startswith("shop_")} == names
    assert {name for name in ours.names() if name.startswith("shop_")} == names
    theirs = {
        (name, without_server(labels)): value
        for (name, labels), value in before.values.items()
        if name in names
    }
    for (name, labels), value in ours.values.items():
        if name in names:
            assert theirs[name, without_server(labels)] == pytest.approx(value, rel=0.02, abs=1)


def test_every_family_has_the_exporters_type(side_by_side):
    before, ours, _ = side_by_side
    both = before.types.keys() & ours.types.keys()
    different = {
        name: (ours.types[name], before.types[name])
        for name in both
        if ours.types[name] != before.types[name]
    }
    assert len(both) > 500
    assert not different


def test_every_family_has_the_exporters_labels(side_by_side):
    before, ours, _ = side_by_side
    different = {
        name: (ours.label_names(name), before.label_names(name))
        for name in before.names(ABOUT_ITSELF) & ours.names(ABOUT_ITSELF)
        if ours.label_names(name) != before.label_names(name) and name not in OTHER_LABELS
    }
    assert not different


def test_values_agree_when_read_at_the_same_time(side_by_side):
    before, ours, after = side_by_side
    checked, different = 0, {}
    for (name, labels), value in ours.values.items():
        plain = labels if (name, labels) in before.values else without_server(labels)
        if name.startswith((*ABOUT_ITSELF, *LIVELY)) or (name, plain) not in after.values:
            continue
        low, high = sorted((before.values.get((name, plain), value), after.values[name, plain]))
        tolerance = max(1.0, 0.02 * abs(high))
        checked += 1
        if not low - tolerance <= value <= high + tolerance:
            different[name, labels] = (low, value, high)
    assert checked > 600
    assert not different


def without_server(labels):
    return frozenset((name, value) for name, value in labels if name != "server")
