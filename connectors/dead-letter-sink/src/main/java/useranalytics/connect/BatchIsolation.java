package useranalytics.connect;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.connect.data.Struct;
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
    /** The last record of each topic that was written: an example of what fits. */
    private final Map<String, SinkRecord> written = new HashMap<>();
    private List<SinkRecord> batch = List.of();
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
        this.batch = batch;
        for (SinkRecord record : batch) {
            rules.refusal(record).ifPresent(reason -> refused.put(Coordinates.of(record), reason));
        }
        List<SinkRecord> records = withoutRefused(batch);
        if (wary > 0 && !records.isEmpty()) {
            wary--;
            long began = System.nanoTime();
            records = withoutCertain(records, probe.examine(records));
            isolationNanos += System.nanoTime() - began;
        }
        if (attempt(records) != null) {
            long began = System.nanoTime();
            try {
                isolate(records);
            } finally {
                isolationNanos += System.nanoTime() - began;
            }
        }
        this.batch = List.of();
    }

    /** Write the records in their order: of those with the same key the last one counts. */
    private void isolate(List<SinkRecord> records) {
        Map<SinkRecord, Suspicion> suspects = probe.examine(records);
        if (suspects.isEmpty()) {
            suspects = probe.examineInTable(records);
        }
        if (suspects.isEmpty() && records.size() > 1) {
            divide(records);
            return;
        }
        List<SinkRecord> together = new ArrayList<>();
        for (SinkRecord record : withoutCertain(records, suspects)) {
            if (suspects.containsKey(record)) {
                // What the probe suspects for reasons of its own text format is the delegate's to judge, by itself.
                halve(together);
                halve(List.of(record));
                together = new ArrayList<>();
            } else {
                together.add(record);
            }
        }
        halve(together);
    }

    /** Refuse those of whom the probe is certain, and return the others. */
    private List<SinkRecord> withoutCertain(List<SinkRecord> records, Map<SinkRecord, Suspicion> suspects) {
        List<SinkRecord> rest = new ArrayList<>(records.size());
        for (SinkRecord record : records) {
            Suspicion suspicion = suspects.get(record);
            if (suspicion != null && suspicion.certain()) {
                refuse(record, suspicion.reason());
            } else {
                rest.add(record);
            }
        }
        return rest;
    }

    /** Write the records, in halves where they fail; return whether all were written at once. */
    private boolean halve(List<SinkRecord> records) {
        RuntimeException failure = attempt(records);
        if (failure == null) {
            return true;
        }
        if (records.size() == 1) {
            refuse(records.get(0), new RefusedRecordException(failure));
        } else {
            divide(records);
        }
        return false;
    }

    /** Write the halves of records that failed together. */
    private void divide(List<SinkRecord> failed) {
        List<SinkRecord> left = failed.subList(0, failed.size() / 2);
        List<SinkRecord> right = failed.subList(failed.size() / 2, failed.size());
        if (halve(left) && right.size() > 1) {
            // Then the failure came from the right half: no need to provoke it again. A single record, though, is
            // refused only for what it fails with alone: some fail for the company they are in.
            divide(right);
        } else {
            halve(right);
        }
    }

    /** Write, and return the failure if a record is to blame for it. */
    private RuntimeException attempt(List<SinkRecord> records) {
        try {
            delegate.write(records);
            if (!records.isEmpty()) {
                SinkRecord last = records.get(records.size() - 1);
                written.put(last.topic(), last);
            }
            return null;
        } catch (RuntimeException failure) {
            if (SqlState.of(failure) != SqlState.BAD_DATA || records.isEmpty()) {
                throw failure;
            }
            return failure;
        }
    }

    /**
     * Refuse a record, unless no value of its field's type would ever be accepted: then the declaration is wrong.
     *
     * <p>Where other records of its topic, of another schema, do fit, it is that record which is foreign.
     */
    private void refuse(SinkRecord record, RefusedRecordException reason) {
        String mismatch = types.mismatch(record).orElse("");
        if (!mismatch.isEmpty() && !isForeign(record)) {
            throw new ConnectException(mismatch, new SQLException(mismatch, DATATYPE_MISMATCH));
        }
        refused.put(Coordinates.of(record), reason);
        wary = WARY_BATCHES;
    }

    private boolean isForeign(SinkRecord record) {
        return Stream.concat(Stream.ofNullable(written.get(record.topic())), batch.stream())
                .filter(other -> other.topic().equals(record.topic()) && other.value() instanceof Struct)
                .filter(other -> !other.valueSchema().equals(record.valueSchema()))
                .anyMatch(other -> types.mismatch(other).isEmpty());
    }

    private List<SinkRecord> withoutRefused(List<SinkRecord> batch) {
        List<SinkRecord> records = new ArrayList<>(batch);
        if (!refused.isEmpty()) {
            records.removeIf(record -> refused.containsKey(Coordinates.of(record)));
        }
        return records;
    }
}
