"""HTTP services: for each route, how many requests, how many fail, how long they take (RED)."""

from dashboards import limits, panels, scope, silences
from dashboards.promql import mean, quantile, rate, series, share, total
from dashboards.spec import (
    UP_OR_DOWN,
    Column,
    Dashboard,
    HeatMap,
    Link,
    Query,
    Row,
    Stat,
    StateTimeline,
    Table,
    TimeSeries,
    Unit,
)
from watchkeeper.catalogue import http, probes

HERE = scope.INSTANCE
FAILED = f'{HERE}, http_response_status_code=~"5.."'
REQUESTS = rate(http.REQUEST_DURATION.count, HERE)
FAILURES = rate(http.REQUEST_DURATION.count, FAILED)
ROUTE = "service, http_request_method, http_route"

NOW = Row(
    "Now",
    (
        Stat(
            title="Rate",
            description="Requests served a second. A fall with healthy durations means that "
            "requests do not reach us.",
            queries=(Query(total(REQUESTS)),),
            unit=Unit.REQUESTS_PER_SECOND,
        ),
        Stat(
            title="Errors",
            description="Share of requests answered 5xx.",
            queries=(Query(share(total(FAILURES), total(REQUESTS))),),
            unit=Unit.RATIO,
            thresholds=limits.ERRORS,
            runbook="HighErrorRate",
        ),
        Stat(
            title="Duration p95",
            description="Nineteen of twenty requests are answered faster than this.",
            queries=(Query(quantile(0.95, http.REQUEST_DURATION, HERE)),),
            unit=Unit.SECONDS,
            thresholds=limits.RESPONSE_TIME,
            runbook="HighResponseTime",
        ),
        Stat(
            title="In progress",
            description="Requests being served right now. It grows before durations do when a "
            "dependency slows down.",
            queries=(Query(total(series(http.ACTIVE_REQUESTS, HERE))),),
        ),
    ),
)

RED = Row(
    "Rate, errors, duration",
    (
        TimeSeries(
            title="Rate by route",
            description="Requests a second. Which route grew or fell?",
            queries=(Query(total(REQUESTS, by="http_route"), "{{http_route}}"),),
            unit=Unit.REQUESTS_PER_SECOND,
        ),
        TimeSeries(
            title="Errors by route",
            description="Share of each route's requests answered 5xx. One route alone points at "
            "its code or its data; all together at something they share.",
            queries=(
                Query(
                    share(total(FAILURES, by="http_route"), total(REQUESTS, by="http_route")),
                    "{{http_route}}",
                ),
            ),
            unit=Unit.RATIO,
            thresholds=limits.ERRORS,
            runbook="HighErrorRate",
        ),
        TimeSeries(
            title="Duration p95 by route",
            description="Where the slow requests are.",
            queries=(
                Query(
                    quantile(0.95, http.REQUEST_DURATION, HERE, by="http_route"), "{{http_route}}"
                ),
            ),
            unit=Unit.SECONDS,
            thresholds=limits.RESPONSE_TIME,
            links=(Link("Database", "watchkeeper-database"),),
        ),
        HeatMap(
            title="Durations",
            description="How many requests took how long. Two bands are two kinds of request or a "
            "cache that hits and misses; a band that rises is everything slowing down.",
            queries=(Query(total(rate(http.REQUEST_DURATION.bucket, HERE), by="le"), "{{le}}"),),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Answers by status",
            description="Requests a second by status. 4xx rising alone is a client gone wrong; 429 "
            "and 503 are load being refused.",
            queries=(
                Query(
                    total(REQUESTS, by="http_response_status_code"),
                    "{{http_response_status_code}}",
                ),
            ),
            unit=Unit.REQUESTS_PER_SECOND,
            stacked=True,
        ),
        TimeSeries(
            title="In progress by service",
            description="Requests being served, service by service.",
            queries=(
                Query(total(series(http.ACTIVE_REQUESTS, HERE), by="service"), "{{service}}"),
            ),
        ),
        Table(
            title="Routes",
            description="Every route with its rate, errors and mean duration in the last minutes, "
            "the busiest first.",
            queries=(
                Query(total(REQUESTS, by=ROUTE)),
                Query(share(total(FAILURES, by=ROUTE), total(REQUESTS, by=ROUTE))),
                Query(mean(http.REQUEST_DURATION, HERE, by=ROUTE)),
            ),
            columns=(
                Column("Route", label="http_route"),
                Column("Method", label="http_request_method"),
                Column("Service", label="service"),
                Column("Rate", query=0, unit=Unit.REQUESTS_PER_SECOND),
                Column("Errors", query=1, unit=Unit.RATIO),
                Column("Mean duration", query=2, unit=Unit.SECONDS),
            ),
            sort_by="Rate",
        ),
    ),
)

FROM_OUTSIDE = Row(
    "Seen from outside",
    (
        panels.instances_up(HERE),
        StateTimeline(
            title="Probes",
            description="Which addresses did what the agent's probe expects of them. Needs probes "
            "in agent.yml.",
            queries=(Query(series(probes.SUCCESS), "{{target}}", silence=silences.PROBE),),
            states=UP_OR_DOWN,
        ),
        TimeSeries(
            title="Calls to others",
            description="p95 of requests this service makes, by whom it asks. Ours slow and theirs "
            "slow together: look there.",
            queries=(
                Query(
                    quantile(0.95, http.CLIENT_REQUEST_DURATION, HERE, by="server_address"),
                    "{{server_address}}",
                    silence=silences.CALLS,
                ),
            ),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Probe duration",
            description="Time a probe took, name resolution and connecting included.",
            queries=(Query(series(probes.DURATION), "{{target}}", silence=silences.PROBE),),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Certificates end in",
            description="Time left of the certificates the probes were shown.",
            queries=(
                Query(
                    f"{probes.CERTIFICATE_EXPIRY} - time()",
                    "{{target}}",
                    silence=silences.CERTIFICATE,
                ),
            ),
            unit=Unit.SECONDS,
        ),
    ),
)

DATABASE_CLIENTS = Row(
    "Connections to databases",
    (
        panels.pool_in_use(HERE, of="service"),
        TimeSeries(
            title="Waiting for a connection",
            description="p95 of the time a caller waited for a connection of the pool.",
            queries=(
                Query(
                    quantile(0.95, http.POOL_WAIT, HERE, by="db_client_connection_pool_name"),
                    "{{db_client_connection_pool_name}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
        TimeSeries(
            title="Calls p95",
            description="What the application waits for a call, network and pool included.",
            queries=(
                Query(
                    quantile(
                        0.95,
                        http.DB_OPERATION_DURATION,
                        HERE,
                        by="db_system_name, db_operation_name",
                    ),
                    "{{db_system_name}} {{db_operation_name}}",
                ),
            ),
            unit=Unit.SECONDS,
        ),
    ),
    collapsed=True,
)

DASHBOARD = Dashboard(
    uid="watchkeeper-http",
    title="HTTP Services",
    purpose="Which route of which service is slow, failing or without requests?",
    variables=scope.of_instance(http.ACTIVE_REQUESTS),
    rows=(NOW, RED, FROM_OUTSIDE, DATABASE_CLIENTS),
    see_also=(
        "watchkeeper-system",
        "watchkeeper-python",
        "watchkeeper-database",
        "watchkeeper-slo",
    ),
)
