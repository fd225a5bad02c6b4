-- The comparisons with the provider's list: packages/store/src/reconcile. A row has the id of its operation, and goes 90 days after its end.
-- CreateTable
CREATE TABLE "reconciliations" (
    "id" UUID NOT NULL,
    "window_from" TIMESTAMPTZ(3) NOT NULL,
    "window_to" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "error" TEXT,
    "listed" BIGINT NOT NULL DEFAULT 0,
    "complete" BIGINT NOT NULL DEFAULT 0,
    "waiting" BIGINT NOT NULL DEFAULT 0,
    "fetched" BIGINT NOT NULL DEFAULT 0,
    "fetched_recordings" BIGINT NOT NULL DEFAULT 0,
    "unfetchable" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "reconciliations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "reconciliations_started_at_id_idx" ON "reconciliations"("started_at" DESC, "id" DESC);

-- What the newest look at the provider's side has found, and when a worker began the last one. One row. It has no result while the first look runs.
-- CreateTable
CREATE TABLE "provider_checks" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "begun_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "saved_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "result" JSONB,

    CONSTRAINT "provider_checks_pkey" PRIMARY KEY ("id")
);
