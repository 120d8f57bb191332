# The service against a PostgreSQL elsewhere: no embedded database, no development packages.
# test/tooling/image.test.ts runs the npm commands and starts the service on them; test/tooling/containers.sh asks the image.

# As in .nvmrc. uWebSockets.js needs glibc 2.38: Debian 13 or newer, not Debian 12, not Alpine (docs/dependencies.md).
ARG NODE=node:24.21.0-trixie-slim

FROM ${NODE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
  npm ci --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional
# The build of 2023 is for older C libraries. The current one brings binaries for every system and Node: one is used.
RUN npm uninstall --no-save --offline --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional uWebSockets.js-2023 \
  && find node_modules/uWebSockets.js -name '*.node' \
  ! -name "uws_$(node -p '[process.platform, process.arch, process.versions.modules].join("_")').node" \
  -delete

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY workers workers
COPY bin/compile.js bin/
RUN node bin/compile.js
COPY docs/openapi.json docs/index.html docs/
RUN node dist/src/openapi/build.js pack

FROM ${NODE}
LABEL org.opencontainers.image.title="task-manager-api" org.opencontainers.image.licenses="MIT"
ENV ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/workers dist/workers
COPY --from=build /app/dist/documents dist/documents
COPY sql sql
COPY package.json LICENSE ./
# The image's user node, as a number: Kubernetes does not believe a name when it must not be root.
USER 1000:1000
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --start-interval=1s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8080) + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
