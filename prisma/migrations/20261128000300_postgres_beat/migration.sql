-- One row, which workers count up each second: what it says after a failover or a restore tells what was lost. See packages/store/src/beat.ts.
-- CreateTable
CREATE TABLE "landline_beat" (
    "identity" UUID NOT NULL DEFAULT gen_random_uuid(),
    "seq" BIGINT NOT NULL DEFAULT 0,
    "oldest_open_at" TIMESTAMPTZ(3),

    CONSTRAINT "landline_beat_pkey" PRIMARY KEY ("identity")
);

INSERT INTO "landline_beat" DEFAULT VALUES;
