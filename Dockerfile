# syntax=docker/dockerfile:1.7
# The product's image: one program, whose argument says what runs. `--target demo` adds private servers for `kommunlots demo`.

FROM rust:1.95.0-slim-trixie AS chef
# The toolchain that is here: rust-toolchain.toml names the linters too, which rustup would then fetch.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo install cargo-chef --version 0.1.78 --locked
WORKDIR /build

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
# Dependencies first, in a layer that changes with Cargo.lock alone.
COPY --from=plan /build/recipe.json recipe.json
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo chef cook --release --locked --package kommunlots --recipe-path recipe.json
COPY . .
# Folders that volumes are laid over: an empty volume takes its owner from here.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    cargo build --release --locked --package kommunlots \
    && install -D target/release/kommunlots /out/kommunlots \
    && mkdir -p /out/folders/bus/keys/departments /out/folders/keys /out/folders/store /out/folders/data

# What `kommunlots demo` starts by itself lies where it looks; its data are made up and go with the container.
FROM postgres:18.6-trixie AS demo
COPY --from=nats:2.15.0-alpine3.22 /usr/local/bin/nats-server /usr/local/bin/nats-server
COPY --from=build /out/kommunlots /usr/local/bin/kommunlots
ENV KOMMUNLOTS_HTTP=0.0.0.0:8080 KOMMUNLOTS_DATA=/data
# The image's `postgres`: PostgreSQL will not run as root, nor as somebody without a name.
USER 999:999
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=6s --start-period=60s --retries=5 \
    CMD ["/usr/local/bin/kommunlots", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/kommunlots"]
CMD ["demo"]

# Neither a shell nor a package manager.
FROM gcr.io/distroless/cc-debian13:nonroot AS product
COPY --from=build /out/kommunlots /usr/local/bin/kommunlots
COPY --from=build --chown=65532:65532 /out/folders/ /
ENV KOMMUNLOTS_HTTP=0.0.0.0:8080 KOMMUNLOTS_DATA=/data
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=6s --start-period=60s --retries=5 \
    CMD ["/usr/local/bin/kommunlots", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/kommunlots"]
CMD ["all"]
