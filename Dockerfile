# syntax=docker/dockerfile:1
# Midan as an image: the console is built with Node, the binary with Rust, and only what runs is kept.

FROM node:20-bookworm-slim AS console
WORKDIR /build/dashboards/console
COPY dashboards/console/package.json dashboards/console/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY dashboards/console ./
RUN npm run build

# The library comes out of the published wheel, at the hash that setup/onnxruntime.txt pins.
FROM python:3.11-slim-bookworm AS onnxruntime
WORKDIR /build
COPY setup ./setup
RUN setup/onnxruntime.sh

FROM rust:1.95-bookworm AS binary
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends cmake libcurl4-openssl-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs ./
COPY proto ./proto
COPY models ./models
COPY config ./config
COPY load-tests/incidents ./load-tests/incidents
COPY src ./src
COPY --from=console /build/dashboards/console/dist ./dashboards/console/dist
RUN cargo build --release --locked --bin midan

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libcurl4 libssl3 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /srv/midan --create-home midan
COPY --from=onnxruntime /build/.tools/onnxruntime /usr/lib/onnxruntime
COPY --from=binary /build/target/release/midan /usr/bin/midan
COPY LICENSE /usr/share/doc/midan/LICENSE
# Paths in the configuration are relative to this folder, as they are to the root of the repository.
WORKDIR /srv/midan
COPY models ./models
COPY config ./config
ENV MIDAN_MODELS__LIBRARY=/usr/lib/onnxruntime/libonnxruntime.so
USER 10001
EXPOSE 8030
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["midan", "health", "--url", "http://127.0.0.1:8030/readyz"]
ENTRYPOINT ["midan"]
CMD ["run"]
