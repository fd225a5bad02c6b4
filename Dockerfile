# syntax=docker/dockerfile:1

# One image for receiver, worker, dashboard, initiation, monitor and cli; docker-compose.yml gives each service its command.

# A tag, not a digest: each build takes the newest Node 24 with its fixes. To pin one, add the digest that `docker image inspect` shows.
FROM node:24-bookworm-slim AS build
WORKDIR /app
# The manifests alone first: while they stay the same, so does the layer with the installed packages.
COPY package.json package-lock.json .npmrc ./
COPY packages/held-folder/package.json packages/held-folder/
COPY packages/intake/package.json packages/intake/
COPY packages/journal/package.json packages/journal/
COPY packages/local-servers/package.json packages/local-servers/
COPY packages/operations/package.json packages/operations/
COPY packages/process/package.json packages/process/
COPY packages/provider/package.json packages/provider/
COPY packages/queue/package.json packages/queue/
COPY packages/recordings/package.json packages/recordings/
COPY packages/store/package.json packages/store/
COPY packages/webhook/package.json packages/webhook/
COPY apps/cli/package.json apps/cli/
COPY apps/dashboard/package.json apps/dashboard/
COPY apps/initiation/package.json apps/initiation/
COPY apps/monitor/package.json apps/monitor/
COPY apps/receiver/package.json apps/receiver/
COPY apps/worker/package.json apps/worker/
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm run setup
# Optional packages go too: the Postgres of `npm start` (60 MB, Compose has its own) and Prisma's command line.
RUN npm prune --omit=dev --omit=optional && rm -rf .turbo apps/*/.turbo packages/*/.turbo node_modules/.cache

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
# A new volume takes its owner from here.
RUN install --directory --owner=node --group=node --mode=700 /journal /spool /recordings /roles/owner /roles/worker /roles/reader
USER node
EXPOSE 3000 3001 3002 3003 3004
# The receiver's, whose command is the default; docker-compose.yml has one for each service.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3000) + '/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/receiver/dist/main.js"]
