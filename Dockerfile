# syntax=docker/dockerfile:1
# One image a service: docker build --target agent|anomaly|alerting|remediation|console|taskboard .
# Each holds only the packages its service needs; nothing is compiled, and nothing runs as root.
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS wheels
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . ./watchkeeper ./examples/taskboard

FROM ${PYTHON} AS service
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_ROOT_USER_ACTION=ignore \
    WATCHKEEPER_DATA_DIR=/var/lib/watchkeeper
RUN useradd --uid 10001 --home-dir /var/lib/watchkeeper --create-home --shell /usr/sbin/nologin watchkeeper
COPY constraints.txt /etc/watchkeeper/constraints.txt
COPY --from=wheels /wheels /wheels
# The wheels are named as files: no index can offer another package of the same name.
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper[kernel] @ file:///wheels/watchkeeper-0.1.0-py3-none-any.whl" \
    "watchkeeper-stack @ file:///wheels/watchkeeper_stack-0.1.0-py3-none-any.whl"
WORKDIR /var/lib/watchkeeper
STOPSIGNAL SIGTERM
# Alive, not ready: a service whose database is down must say so, not be restarted for it.
# The first answer ends the start period, which is for a slow or busy machine.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "\
import http.client, os, sys; \
connection = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); \
connection.request('GET', '/healthz'); \
sys.exit(connection.getresponse().status != 200)"]

FROM service AS agent
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper-stack[agent] @ file:///wheels/watchkeeper_stack-0.1.0-py3-none-any.whl"
ENV PORT=8301
USER watchkeeper
ENTRYPOINT ["watchkeeper", "agent"]
CMD ["--listen", "0.0.0.0:8301"]

FROM service AS anomaly
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper-stack[anomaly] @ file:///wheels/watchkeeper_stack-0.1.0-py3-none-any.whl"
ENV PORT=8302
USER watchkeeper
ENTRYPOINT ["watchkeeper", "anomaly"]
CMD ["--listen", "0.0.0.0:8302"]

FROM service AS alerting
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper-stack[alerting] @ file:///wheels/watchkeeper_stack-0.1.0-py3-none-any.whl"
ENV PORT=8303
USER watchkeeper
ENTRYPOINT ["watchkeeper", "alerting"]
CMD ["--listen", "0.0.0.0:8303"]

FROM service AS remediation
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper-stack[remediation] @ file:///wheels/watchkeeper_stack-0.1.0-py3-none-any.whl"
ENV PORT=8304
USER watchkeeper
ENTRYPOINT ["watchkeeper", "remediation"]
CMD ["--listen", "0.0.0.0:8304"]

FROM service AS console
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper-stack[console] @ file:///wheels/watchkeeper_stack-0.1.0-py3-none-any.whl"
ENV PORT=8300
USER watchkeeper
ENTRYPOINT ["watchkeeper", "console"]
CMD ["--listen", "0.0.0.0:8300"]

FROM service AS taskboard
RUN pip install --constraint /etc/watchkeeper/constraints.txt \
    "watchkeeper-taskboard @ file:///wheels/watchkeeper_taskboard-0.1.0-py3-none-any.whl"
ENV PORT=8310
USER watchkeeper
ENTRYPOINT ["python", "-m", "taskboard"]
CMD ["web", "--agent", "alpha", "--listen", "0.0.0.0:8310"]
