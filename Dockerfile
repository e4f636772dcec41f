# syntax=docker/dockerfile:1
# Two images of static binaries and nothing else: `--target prescale` (the default) and `--target chat-backend`.
ARG RUST=1.95.0

FROM docker.io/library/rust:${RUST}-alpine AS chef
RUN apk add --no-cache build-base cmake perl && cargo install --locked cargo-chef
WORKDIR /build

# what is depended on, as a recipe that changes only when a manifest does
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS builder
COPY --from=planner /build/recipe.json recipe.json
RUN cargo chef cook --release --recipe-path recipe.json -p prescale -p chat-backend --features prescale/jemalloc
COPY . .
RUN cargo build --release --locked -p prescale -p chat-backend --features prescale/jemalloc \
    && strip target/release/prescale target/release/chat-backend \
    && mkdir /state

FROM scratch AS base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.source="https://github.com/prescale/prescale" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      dev.prescale.sbom="cargo-cyclonedx of Cargo.lock; attached by docker buildx build --sbom=true"
# for servers that are asked over TLS
COPY --from=chef /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532

FROM base AS chat-backend
LABEL org.opencontainers.image.title="chat-backend" \
      org.opencontainers.image.description="A small OpenAI-compatible chat service, and load for it"
COPY --from=builder /build/target/release/chat-backend /chat-backend
EXPOSE 8080
ENTRYPOINT ["/chat-backend"]
CMD ["serve"]

FROM base AS prescale
LABEL org.opencontainers.image.title="prescale" \
      org.opencontainers.image.description="A KEDA external scaler that scales before the load arrives"
COPY --from=builder /build/target/release/prescale /prescale
COPY --from=builder --chown=65532:65532 /state /var/lib/prescale
EXPOSE 6000 8080
ENTRYPOINT ["/prescale"]
CMD ["serve", "--http-address=0.0.0.0:8080", "--state=/var/lib/prescale"]
