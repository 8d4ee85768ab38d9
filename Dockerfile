# steertui in a container: on the CPU, or with CUDA by a build argument. docs/how-to/install.md says how to build and run it.
#
#   docker build -t steertui .
#   docker build -t steertui:cuda --build-arg BASE=nvidia/cuda:12.6.3-devel-ubuntu24.04 \
#       --build-arg RUNTIME=nvidia/cuda:12.6.3-runtime-ubuntu24.04 --build-arg CMAKE_ARGS=-DGGML_CUDA=on .

ARG BASE=ubuntu:24.04
ARG RUNTIME=ubuntu:24.04

FROM ${BASE} AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The compiler of llama.cpp and Python, in the versions of the base image's distribution.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        build-essential cmake git ninja-build python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY constraints.txt ./
ARG CMAKE_ARGS=-DGGML_NATIVE=off
ENV CMAKE_ARGS=${CMAKE_ARGS}
# A layer of its own: a change of steertui does not compile llama.cpp again.
RUN python3 -m venv /opt/steertui \
    && /opt/steertui/bin/pip install --no-cache-dir -c constraints.txt llama-cpp-python
COPY . .
RUN /opt/steertui/bin/pip install --no-cache-dir -c constraints.txt ".[parquet,png,pandas,serve,inspect]"

FROM ${RUNTIME}
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates libgomp1 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 researcher
COPY --from=build /opt/steertui /opt/steertui
ENV PATH=/opt/steertui/bin:${PATH} \
    HF_HOME=/data/huggingface \
    LANG=C.UTF-8
WORKDIR /data
RUN chown researcher /data
USER 10001
VOLUME /data
ENTRYPOINT ["steertui"]
CMD ["--batch", "--demo"]
