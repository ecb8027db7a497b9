# The agent as on Heroku: the locked requirements, and the two packages beside them.
# The image with a compiler, for the extension; what runs is the slim one below.
FROM python:3.13 AS build
WORKDIR /build
COPY requirements.txt ./
# Wheels only: what has to be compiled would run a build backend that has no hash here.
RUN python -m venv --without-pip /opt/agent \
 && python -m pip --python /opt/agent/bin/python install --no-cache-dir \
    --disable-pip-version-check --only-binary :all: --require-hashes \
    --requirement requirements.txt
COPY LICENSE build_speedups.py ./
COPY agent agent/
COPY parsers parsers/
COPY alerts alerts/
COPY dashboards dashboards/
# For the same reason the command is written here and not by an installer. Compiled now,
# because at run time nobody may write.
RUN python build_speedups.py \
 && mkdir -p agent/packaged/alerts agent/packaged/dashboards \
 && cp alerts/*.yaml alerts/*.yml agent/packaged/alerts/ \
 && cp dashboards/*.json dashboards/*.yaml agent/packaged/dashboards/ \
 && cp -R agent parsers "$(/opt/agent/bin/python -c \
    'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && cp LICENSE /opt/agent/ \
 && printf '%s\n' '#!/opt/agent/bin/python -P' 'from agent.cli import main' 'main()' \
    > /opt/agent/bin/heroku-kafka-agent \
 && chmod 755 /opt/agent/bin/heroku-kafka-agent \
 && /opt/agent/bin/python -m compileall -q /opt/agent/lib

FROM python:3.13-slim
COPY --from=build /opt/agent /opt/agent
ENV PATH=/opt/agent/bin:$PATH
USER 10001:10001
EXPOSE 9841
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('HEROKU_KAFKA_AGENT_PORT', '9841') + '/-/healthy', timeout=3)"]
ENTRYPOINT ["heroku-kafka-agent"]
CMD ["serve", "--host", "0.0.0.0"]
