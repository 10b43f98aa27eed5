package useranalytics.connect;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Writes a batch without its bad rows, which it finds.
 *
 * <p>The delegate fails as a whole and has to be started again, so a direct connection looks for the bad rows first.
 * What that cannot judge is left to halving the batch. What was found stays known while a batch is retried.
 */
final class BatchIsolation {
    /** After a bad row, this many batches are examined before the delegate sees them: that saves its restart. */
    private static final int WARY_BATCHES = 20;

    private final Delegate delegate;
    private final RowProbe probe;
    private final Map<Coordinates, RefusedRecordException> refused = new HashMap<>();
    private int wary;
    private long isolationNanos;

    BatchIsolation(Delegate delegate, RowProbe probe) {
        this.delegate = delegate;
        this.probe = probe;
    }

    /** Return the refused records of the batch that is being written, by where they stand. */
    Map<Coordinates, RefusedRecordException> refused() {
        return refused;
    }

    long isolationMillis() {
        return isolationNanos / 1_000_000;
    }

    /** Write all that can be written; throws what is not the fault of a record. */
    void write(List<SinkRecord> batch) {
        List<SinkRecord> records = withoutRefused(batch);
        if (wary > 0 && !records.isEmpty()) {
            wary--;
            records = examine(records, false);
        }
        RuntimeException failure = attempt(records);
        if (failure != null) {
            long began = System.nanoTime();
            try {
                isolate(records, failure);
            } finally {
                isolationNanos += System.nanoTime() - began;
            }
        }
    }

    private void isolate(List<SinkRecord> records, RuntimeException failure) {
        List<SinkRecord> rest = examine(records, true);
        if (rest.size() == records.size()) {
            halve(rest, failure);
        } else {
            halve(rest, null);
        }
        Set<SinkRecord> written = Collections.newSetFromMap(new IdentityHashMap<>());
        written.addAll(rest);
        List<SinkRecord> doubtful = withoutRefused(records);
        doubtful.removeIf(written::contains);
        // What the probe suspects for reasons of its own text format is the delegate's to judge, one by one.
        for (SinkRecord record : doubtful) {
            halve(List.of(record), null);
        }
    }

    /** Return the records that the probe does not suspect; with certainty alone unless told otherwise. */
    private List<SinkRecord> examine(List<SinkRecord> records, boolean setAsideDoubtful) {
        long began = System.nanoTime();
        List<SinkRecord> rest = new ArrayList<>(records.size());
        Map<SinkRecord, RefusedRecordException> suspects = probe.examine(records);
        for (SinkRecord record : records) {
            RefusedRecordException suspicion = suspects.get(record);
            if (suspicion != null && RowProbe.isCertain(suspicion)) {
                refuse(record, suspicion);
            } else if (suspicion == null || !setAsideDoubtful) {
                rest.add(record);
            }
        }
        isolationNanos += setAsideDoubtful ? 0 : System.nanoTime() - began;
        return rest;
    }

    /** Write the records, in halves where they fail; {@code known} is how all of them together failed, if they did. */
    private void halve(List<SinkRecord> records, RuntimeException known) {
        RuntimeException failure = known == null ? attempt(records) : known;
        if (failure == null) {
            return;
        }
        if (records.size() == 1) {
            refuse(records.get(0), new RefusedRecordException(failure));
            return;
        }
        List<SinkRecord> left = records.subList(0, records.size() / 2);
        List<SinkRecord> right = records.subList(records.size() / 2, records.size());
        RuntimeException leftFailure = attempt(left);
        if (leftFailure == null) {
            // Then the failure came from the right half: no need to provoke it again.
            halve(right, failure);
        } else {
            halve(left, leftFailure);
            halve(right, null);
        }
    }

    /** Write, and return the failure if a record is to blame for it. */
    private RuntimeException attempt(List<SinkRecord> records) {
        try {
            delegate.write(records);
            return null;
        } catch (RuntimeException failure) {
            if (SqlState.of(failure) != SqlState.BAD_DATA || records.isEmpty()) {
                throw failure;
            }
            return failure;
        }
    }

    private void refuse(SinkRecord record, RefusedRecordException reason) {
        refused.put(Coordinates.of(record), reason);
        wary = WARY_BATCHES;
    }

    private List<SinkRecord> withoutRefused(List<SinkRecord> batch) {
        List<SinkRecord> records = new ArrayList<>(batch);
        if (!refused.isEmpty()) {
            records.removeIf(record -> refused.containsKey(Coordinates.of(record)));
        }
        return records;
    }
}
