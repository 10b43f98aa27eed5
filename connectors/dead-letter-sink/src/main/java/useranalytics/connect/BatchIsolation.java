package useranalytics.connect;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.connect.errors.ConnectException;
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

    private static final String DATATYPE_MISMATCH = "42804";

    private final Delegate delegate;
    private final RowProbe probe;
    private final RecordRules rules;
    private final TypeFit types;
    private final Map<Coordinates, RefusedRecordException> refused = new HashMap<>();
    private int wary;
    private long isolationNanos;

    BatchIsolation(Delegate delegate, Map<String, String> settings, TargetTable target) {
        this.delegate = delegate;
        probe = new RowProbe(settings, target);
        rules = new RecordRules(settings);
        types = new TypeFit(target);
    }

    /** Return the refused records of the batch that is being written, by where they stand. */
    Map<Coordinates, RefusedRecordException> refused() {
        return refused;
    }

    /** Let go of the connection that looks for bad rows. */
    void close() {
        probe.close();
    }

    long isolationMillis() {
        return isolationNanos / 1_000_000;
    }

    /** Write all that can be written; throws what is not the fault of a record. */
    void write(List<SinkRecord> batch) {
        for (SinkRecord record : batch) {
            rules.refusal(record).ifPresent(reason -> refused.put(Coordinates.of(record), reason));
        }
        List<SinkRecord> records = withoutRefused(batch);
        if (wary > 0 && !records.isEmpty()) {
            wary--;
            long began = System.nanoTime();
            records = withoutSuspects(records, probe.examine(records), false);
            isolationNanos += System.nanoTime() - began;
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
        List<SinkRecord> rest = withoutSuspects(records, probe.examine(records), true);
        if (rest.size() == records.size()) {
            rest = withoutSuspects(records, probe.examineInTable(records), true);
        }
        halve(rest, rest.size() == records.size() ? failure : null);
        Set<SinkRecord> written = Collections.newSetFromMap(new IdentityHashMap<>());
        written.addAll(rest);
        List<SinkRecord> doubtful = withoutRefused(records);
        doubtful.removeIf(written::contains);
        // What the probe suspects for reasons of its own text format is the delegate's to judge, one by one.
        for (SinkRecord record : doubtful) {
            halve(List.of(record), null);
        }
    }

    /** Refuse those of whom the probe is certain, and return the others; without any suspects if told so. */
    private List<SinkRecord> withoutSuspects(
            List<SinkRecord> records, Map<SinkRecord, Suspicion> suspects, boolean setAsideDoubtful) {
        List<SinkRecord> rest = new ArrayList<>(records.size());
        for (SinkRecord record : records) {
            Suspicion suspicion = suspects.get(record);
            if (suspicion != null && suspicion.certain()) {
                refuse(record, suspicion.reason());
            } else if (suspicion == null || !setAsideDoubtful) {
                rest.add(record);
            }
        }
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

    /** Refuse a record, unless all are to be refused: then the declaration is wrong. */
    private void refuse(SinkRecord record, RefusedRecordException reason) {
        String mismatch = types.mismatch(record).orElse("");
        if (!mismatch.isEmpty()) {
            throw new ConnectException(mismatch, new SQLException(mismatch, DATATYPE_MISMATCH));
        }
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
