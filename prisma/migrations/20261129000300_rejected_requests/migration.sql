-- Requests that were answered 401 for their signature, with what was found out about each.
-- CreateTable
CREATE TABLE "rejected_requests" (
    "id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "code" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "advice" TEXT NOT NULL,
    "header" TEXT,
    "headers" JSONB NOT NULL,
    "body" BYTEA,
    "body_bytes" BIGINT,
    "sender" TEXT,
    "readmitted_at" TIMESTAMPTZ(3),

    CONSTRAINT "rejected_requests_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "rejected_requests_received_at_id_idx" ON "rejected_requests"("received_at" DESC, "id" DESC);
