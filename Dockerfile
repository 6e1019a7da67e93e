# Two images from one file:
#   api     answers; no torch in it (docker build --target api .)
#   worker  builds workspaces: ingest, compile, train, distill (docker build --target worker .)
# Both install as the Makefile does, with pip and the extras of pyproject.toml.

ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS build-api
# pip reads it from the environment; set it to an index of CPU wheels of torch for a small worker.
ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY . .
# Numeric kernels are compiled here, so that no container's first question waits for them.
ENV NUMBA_CACHE_DIR=/opt/sightline/numba
RUN python -m venv /opt/sightline && /opt/sightline/bin/python -m pip install '.' \
    && /opt/sightline/bin/sightline warm

FROM build-api AS build-worker
RUN /opt/sightline/bin/python -m pip install '.[train]' && /opt/sightline/bin/sightline warm

FROM python:${PYTHON_VERSION}-slim AS runtime
# The root filesystem may be read-only: compiled kernels are copied to /tmp, where numba can write.
ENV PATH=/opt/sightline/bin:$PATH \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin sightline \
    && install -d -o sightline -g sightline /workspace
USER sightline
WORKDIR /workspace
ENTRYPOINT ["sh", "-c", "cp -rn /opt/sightline/numba /tmp/ && exec sightline \"$@\"", "sightline"]

FROM runtime AS worker
COPY --from=build-worker /opt/sightline /opt/sightline
CMD ["run", "/data", "-w", "/workspace"]

FROM runtime AS api
COPY --from=build-api /opt/sightline /opt/sightline
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["serve", "-w", "/workspace", "--host", "0.0.0.0", "--port", "8000"]
