# One image for Dagster's webserver, daemon and code server, and for the runs that Kubernetes starts.
ARG PYTHON=3.12.12-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /opt/bounty-ops
COPY requirements-image.lock ./
RUN /opt/bounty-ops/bin/python -m pip install --no-deps --require-hashes --requirement requirements-image.lock
COPY pyproject.toml README.md LICENSE dagster.yaml workspace.yaml ./
COPY migrations ./migrations
COPY bounty_ops ./bounty_ops
RUN /opt/bounty-ops/bin/python -m pip install --no-deps --no-build-isolation .

FROM python:${PYTHON}
# A restore is proved by servers of the database's own major version. Leave out what you do not have.
ARG POSTGRESQL_MAJORS="14 15 16 17 18"
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
# The packages are PostgreSQL's own, and not pinned: a dump by a client with a known defect is worse
# than two builds that differ in a minor version.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf \
    && read -ra majors <<< "${POSTGRESQL_MAJORS}" \
    && apt-get install --yes --no-install-recommends "${majors[@]/#/postgresql-}" \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 bounty-ops \
    && useradd --system --uid 10001 --gid 10001 --home-dir /srv/bounty-ops --shell /usr/sbin/nologin bounty-ops \
    && install --directory --owner=10001 --group=10001 --mode=0700 \
        /srv/bounty-ops /srv/bounty-ops/.bounty-ops /srv/dagster /srv/dagster/storage
COPY --from=build /opt/bounty-ops /opt/bounty-ops
COPY dagster.yaml /srv/dagster/dagster.yaml
ENV PATH=/opt/bounty-ops/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BOUNTY_OPS_HOME=/srv/bounty-ops \
    DAGSTER_HOME=/srv/dagster
WORKDIR /srv/bounty-ops
# By number: Kubernetes cannot tell from a name whether it is root's.
USER 10001:10001
EXPOSE 4266
HEALTHCHECK --interval=30s --timeout=15s --start-period=120s --retries=3 \
    CMD ["dagster", "api", "grpc-health-check", "--port", "4266"]
CMD ["dagster", "code-server", "start", "--host", "0.0.0.0", "--port", "4266", "--module-name", "bounty_ops.definitions", "--location-name", "bounty-ops"]
