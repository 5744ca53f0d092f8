//! Durable logs: the command log's trait and journal, and the event log.
