-- Failures that somebody knows of, one row for each group of dead events: packages/store/src/find/failure-fingerprint.ts says what makes a group.
-- CreateTable
CREATE TABLE "known_failures" (
    "fingerprint" TEXT NOT NULL,
    "known_at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "known_by" TEXT NOT NULL,

    CONSTRAINT "known_failures_pkey" PRIMARY KEY ("fingerprint")
);
