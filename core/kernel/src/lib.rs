//! The deterministic core: checks, life cycle, matching, settlement.
