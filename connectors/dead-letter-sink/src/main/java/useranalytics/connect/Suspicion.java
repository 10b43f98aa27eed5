package useranalytics.connect;

/** What a probe found: why a record is refused, and whether the delegate cannot but find the same. */
record Suspicion(RefusedRecordException reason, boolean certain) {}
