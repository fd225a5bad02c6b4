-- Most events of a call are messages and tool calls. These are found by their receipt, and are not in this index: so it costs them nothing.
-- CreateIndex
CREATE INDEX "webhook_events_by_type" ON "webhook_events"("type", "received_at", "id") WHERE (type <> 'conversation.message' AND type <> 'agent.tool_call');
