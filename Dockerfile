# One image for the exporter and the responder: `command: ["exporters"]` or `["responder"]`.
# Which user it runs as is said where it is started: the Docker socket belongs to another group on
# every host.
FROM python:3.13-slim AS build
WORKDIR /build
# The build backend with what it needs, at the locked versions: nothing is taken that has no hash
# here. Should it come to need more, pip says what is not pinned.
COPY requirements-dev.lock ./
RUN awk '/^[a-z]/ { keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } keep' \
        requirements-dev.lock > build.lock \
 && python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY homeostat homeostat
COPY exporters exporters
COPY responder responder
COPY guardian guardian
COPY cli cli
COPY chaos chaos
RUN /venv/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist .

FROM python:3.13-slim
ENV PATH=/opt/homeostat/bin:$PATH PYTHONUNBUFFERED=1
# pip compiles what it installs, so that a start writes nothing.
COPY requirements.lock /tmp/
RUN python -m venv /opt/homeostat \
 && pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock
RUN --mount=from=build,source=/dist,target=/dist pip install --no-cache-dir --no-deps --no-index /dist/*.whl
ENTRYPOINT ["python", "-m"]
CMD ["exporters"]
