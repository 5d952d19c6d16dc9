# One image for web, worker and migrate. docker-compose.yml starts them.

# Builds: the packages of the lock, each file checked against its hash, and the wheel of what stands here. The Node that
# the browser bundle is built with is fetched when it is needed and stays in this stage.
FROM python:3.13-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/alur
COPY requirements.lock ./
RUN /opt/alur/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY bootstrap.py requirements-test.lock ./
COPY forms/web forms/web
RUN /opt/alur/bin/python bootstrap.py bundle
COPY pyproject.toml hatch_build.py README.md LICENSE NOTICE ./
COPY bpmn bpmn
COPY engine engine
COPY forms forms
RUN /opt/alur/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/alur/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

# Runs: Python, the installed packages, and a user who may write the documents and nothing else.
FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Alur" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin alur \
 && install --directory --owner=alur --group=alur --mode=0700 /var/lib/alur \
 && ln --symbolic /opt/alur/lib/python3.13/site-packages/bpmn /bpmn
COPY --from=build /opt/alur /opt/alur
ENV PATH=/opt/alur/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ALUR_DATA_DIR=/var/lib/alur \
    ALUR_HOST=0.0.0.0 \
    ALUR_PORT=8080
USER 10001:10001
WORKDIR /var/lib/alur
VOLUME /var/lib/alur
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, ssl, urllib.request; s = 'https' if os.environ.get('ALUR_TLS') == 'yes' else 'http'; urllib.request.urlopen(f'{s}://127.0.0.1:{os.environ[\"ALUR_PORT\"]}/healthz', timeout=5, context=ssl._create_unverified_context())"]
ENTRYPOINT ["alur"]
CMD ["web"]
