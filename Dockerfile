# Three images. Without --target it is the last: the whole embedded service in one container.
#   serve   server, REST bridge, classify worker; no TensorFlow, no Java
#   train   train worker, Spark driver and executor
# The packages come before the code, so that a change of code installs nothing again. Other sources of packages and
# jars than the usual: --secret id=pip,src=pip.conf and --secret id=maven,env=DIGITS_MAVEN_URL, a repository's address.
# Build arguments would be in the images' history, with the password that such an address may hold.

FROM python:3.11-slim-bookworm AS serve-packages
ENV PATH=/opt/digits/bin:$PATH PYTHONUNBUFFERED=1 GRPC_VERBOSITY=ERROR
RUN useradd --system --uid 10001 --home-dir /srv/digits/var digits \
 && install -d -o digits -g digits /srv/digits/var \
 && python -m venv --without-pip /opt/digits
WORKDIR /opt/digits
COPY deploy/containers/serve.lock ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python bin/python install --disable-pip-version-check --require-hashes --requirement serve.lock
WORKDIR /srv/digits


# TensorFlow's headers and libclang are for building on top of it: 350 MB that nothing reads when it runs.
FROM serve-packages AS train-packages
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends openjdk-17-jre-headless tini \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/digits
COPY deploy/containers/train.lock ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python bin/python install --disable-pip-version-check --require-hashes --requirement train.lock \
 && rm -r lib/python*/site-packages/tensorflow/include lib/python*/site-packages/clang/native
WORKDIR /srv/digits
ENV PYSPARK_PYTHON=/opt/digits/bin/python PYSPARK_DRIVER_PYTHON=/opt/digits/bin/python TF_CPP_MIN_LOG_LEVEL=3


# The project itself, in a tree of its own that is laid over the packages.
FROM serve-packages AS project
COPY . /src
# What builds it is pinned too.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    sed -n '/^setuptools==/,/[^\\]$/p' /src/requirements.lock >build.lock \
 && pip --python /opt/digits/bin/python install --disable-pip-version-check --require-hashes --requirement build.lock \
 && pip --python /opt/digits/bin/python install --disable-pip-version-check --no-deps --no-build-isolation \
    --prefix /project /src


# The test picture and MNIST: the build context's data/mnist.npz where it is there and sound, else fetched.
FROM serve-packages AS data
COPY data data
COPY digits digits
COPY deploy deploy
RUN python -m deploy.native.downloads.mnist data/mnist.npz


# Spark's Kafka connector.
FROM train-packages AS jars
COPY digits digits
COPY deploy deploy
RUN --mount=type=secret,id=maven \
    DIGITS_MAVEN_URL="$(cat /run/secrets/maven 2>/dev/null)" DIGITS_JARS_DIR=/opt/jars \
    python -m deploy.native.downloads.jars spark-kafka


FROM serve-packages AS serve
COPY --from=data /srv/digits/data data
COPY --from=project /project /opt/digits
USER digits
# Loopback inside a container reaches nobody.
ENV DIGITS_GRPC_HOST=0.0.0.0 DIGITS_REST_HOST=0.0.0.0
EXPOSE 50051 5000
VOLUME /srv/digits/var
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-m", "deploy.containers.healthy", "server"]
CMD ["python", "-m", "server"]


FROM train-packages AS train
COPY --from=jars /opt/jars /opt/jars
COPY --from=data /srv/digits/data data
COPY --from=project /project /opt/digits
USER digits
ENV DIGITS_SPARK_JARS_DIR=/opt/jars/spark-kafka
VOLUME /srv/digits/var
# Spark's processes outlive their parents for a moment; somebody must bury them.
ENTRYPOINT ["tini", "--"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s CMD ["python", "-m", "deploy.containers.healthy", "train"]
CMD ["python", "-m", "workers", "train"]


FROM train AS embedded
USER root
WORKDIR /opt/digits
COPY deploy/containers/embedded.lock ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python bin/python install --disable-pip-version-check --require-hashes --requirement embedded.lock
WORKDIR /srv/digits
USER digits
# Its ports are the container's own until somebody publishes them: docs/containers.md says how far.
ENV DIGITS_GRPC_HOST=0.0.0.0 DIGITS_REST_HOST=0.0.0.0 DIGITS_ALLOW_INSECURE=1
EXPOSE 50051 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s CMD ["digits", "status"]
CMD ["digits", "up"]
