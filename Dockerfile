# One image for the web process, the workers and beat; the command chooses. It runs as an ordinary user, and carries
# no PostgreSQL of its own: ORCHESTRATOR_DATABASE_URL names the server.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/orchestrator
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY channels ./channels
COPY orchestrator ./orchestrator
COPY workers ./workers
RUN /opt/orchestrator/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
RUN useradd --system --create-home --uid 10001 orchestrator
COPY --from=build /opt/orchestrator /opt/orchestrator
COPY --chown=root:root playbooks /app/playbooks
ENV PATH=/opt/orchestrator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORCHESTRATOR_ENV=production \
    ORCHESTRATOR_HOST=0.0.0.0 \
    ORCHESTRATOR_PORT=8080 \
    ORCHESTRATOR_LOG_FORMAT=json \
    ORCHESTRATOR_PLAYBOOKS=/app/playbooks
WORKDIR /app
USER orchestrator
EXPOSE 8080
ENTRYPOINT ["orchestrator"]
CMD ["serve"]
