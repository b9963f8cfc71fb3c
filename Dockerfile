# One image for every part: `api` (as below), `worker`, `up`, and each other command of `dispatcher`.
# The Python is the one that the tests run on; both stages must have the same, since the second runs
# what the first installed.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /source

# What it stands on first: this layer changes only with the locks. Wheels only, each with its hash,
# so nothing is compiled and nothing else is fetched.
COPY requirements.build.lock requirements.run.lock ./
RUN python -m venv --without-pip /opt/dispatcher \
    && pip install --require-hashes --only-binary :all: --requirement requirements.build.lock \
    && pip --python /opt/dispatcher/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements.run.lock

COPY pyproject.toml README.md LICENSE ./
COPY templates templates
COPY dispatcher dispatcher
RUN python -m hatchling build -t wheel -d /wheel \
    && pip --python /opt/dispatcher/bin/python install --no-index --no-deps /wheel/*.whl

FROM python:3.11-slim-bookworm
# The ids are fixed, so that a volume keeps its owner over rebuilds. /data belongs to that user before
# it becomes a volume: an empty volume takes its owner over.
RUN groupadd --gid 10001 dispatcher \
    && useradd --uid 10001 --gid 10001 --no-log-init --home-dir /data --shell /usr/sbin/nologin dispatcher \
    && install --directory --owner 10001 --group 10001 --mode 0750 /data
COPY --from=build /opt/dispatcher /opt/dispatcher
# Lines reach the container's log at once; the file system may be read-only.
ENV PATH=/opt/dispatcher/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM

# Ready = the API answers and so does its store. A worker has no port: start it with --no-healthcheck.
# Spelled with http.client because it knows of no proxy, whatever the environment says.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=2); c.request('GET', '/health/ready'); raise SystemExit(c.getresponse().status != 200)"]

ENTRYPOINT ["dispatcher"]
# The address of the store comes in as DISPATCHER_REDIS_URL.
CMD ["api", "--host", "0.0.0.0", "--port", "8080", "--data", "/data"]
