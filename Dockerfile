# One for all: docker build --build-arg SERVICE=patients -t caregate/patients:1.0.0 .
# SERVICE is gateway, auth, patients, audit, platform, which prepares the others, or backup.
ARG NODE=node:24.21.0-trixie-slim
# whose tools must be as new as the server
ARG POSTGRES=postgres:17
ARG SERVICE

FROM ${NODE} AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY clients/typescript/package.json clients/typescript/
COPY gateway/package.json gateway/
COPY libs/common/package.json libs/common/
COPY ops/backup/package.json ops/backup/
COPY platform/package.json platform/
COPY services/audit/package.json services/audit/
COPY services/auth/package.json services/auth/
COPY services/patients/package.json services/patients/

# the audit console is the one thing that is built
FROM manifests AS console
COPY tsconfig.base.json ./
RUN npm ci --workspace @caregate/audit --ignore-scripts --no-audit --no-fund
COPY libs/common/src libs/common/src
COPY services/audit services/audit
RUN node services/audit/console/build.ts

FROM manifests AS packages
ARG SERVICE
# scripts would compile what comes compiled; what is optional is for tests and for databases without containers
RUN npm ci --workspace @caregate/${SERVICE} --omit dev --omit optional --ignore-scripts --no-audit --no-fund \
 && rm package.json package-lock.json

FROM ${NODE} AS base
ENV NODE_ENV=production NPM_CONFIG_CACHE=/tmp/npm NPM_CONFIG_UPDATE_NOTIFIER=false
WORKDIR /app
COPY --from=packages /app ./
COPY libs/common/src libs/common/src

FROM base AS gateway
ENV PORT=8000
WORKDIR /app/gateway
COPY gateway/src src

FROM base AS auth
ENV PORT=8001
WORKDIR /app/services/auth
COPY services/auth/src src

FROM base AS patients
ENV PORT=8002
WORKDIR /app/services/patients
COPY services/patients/src src

FROM base AS audit
ENV PORT=8003
WORKDIR /app/services/audit
COPY services/audit/src src
COPY --from=console /app/services/audit/console/dist console/dist
# what a witness keeps
RUN install -d -o node -g node /data

# what it knows of the others is which settings they take
FROM base AS platform
COPY gateway/src/config.ts gateway/src/
COPY services/auth/src/config.ts services/auth/src/
COPY services/patients/src/config.ts services/patients/src/
COPY services/audit/src/config.ts services/audit/src/
COPY services/audit/src/log services/audit/src/log
WORKDIR /app/platform
COPY platform .

FROM ${POSTGRES} AS backup
ENV NODE_ENV=production
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node node && install -d -o node -g node /backups
COPY --from=base /usr/local/bin/node /usr/local/bin/
COPY --from=base /app /app
WORKDIR /app/ops/backup
COPY ops/backup/src src
ENTRYPOINT ["node", "src/cli.ts"]

FROM ${SERVICE}
ARG SERVICE
ARG VERSION
LABEL org.opencontainers.image.title="caregate/${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
USER node
EXPOSE ${PORT}
# by the process itself: there is no other program in the image that could ask
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "const { TLS_CERT_FILE, PORT } = process.env; require(TLS_CERT_FILE ? 'https' : 'http').get({ host: '127.0.0.1', port: PORT, path: '/health/ready', rejectUnauthorized: false }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# node itself is process 1: SIGTERM reaches it, and it drains
CMD ["node", "src/main.ts"]
