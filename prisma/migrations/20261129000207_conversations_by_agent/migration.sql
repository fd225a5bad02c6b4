-- Few agents have many conversations, so equal keys share their place in the index.
-- CreateIndex
CREATE INDEX "conversations_agent_id_idx" ON "conversations"("agent_id");
