package useranalytics.connect;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes through the delegate: refused records become dead letters, an ill database is waited for. */
public final class DeadLetterSinkTask extends SinkTask {
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterSinkTask.class);
    private static final long FIRST_BACKOFF_MILLIS = 250;
    private static final long LAST_BACKOFF_MILLIS = 5_000;
    private static final long LOG_INTERVAL_NANOS = 60_000_000_000L;
    private static final int REPORTS_AT_MOST = 3;

    private final List<Future<Void>> reports = new ArrayList<>();
    private final Set<TopicPartition> undelivered = new HashSet<>();
    private boolean hasQueue;
    private Delegate delegate;
    private TargetTable target;
    private BatchIsolation isolation;
    private SinkMetrics metrics;
    private List<SinkRecord> waiting = List.of();
    private ConnectException hopeless;
    private long backoffMillis = FIRST_BACKOFF_MILLIS;
    private long loggedNanos;
    private long retriesSinceLogged;

    @Override
    public String version() {
        return DeadLetterSinkConnector.VERSION;
    }

    @Override
    public void start(Map<String, String> settings) {
        LetterReceipts.begin();
        hasQueue = !settings.getOrDefault("errors.deadletterqueue.topic.name", "").isEmpty();
        delegate = new Delegate(settings, context);
        target = new TargetTable(settings);
        isolation = new BatchIsolation(delegate, settings, target);
        metrics = SinkMetrics.register(settings.getOrDefault("name", "unnamed"));
        loggedNanos = System.nanoTime() - LOG_INTERVAL_NANOS;
    }

    @Override
    public void open(Collection<TopicPartition> partitions) {
        delegate.open(partitions);
    }

    @Override
    public void close(Collection<TopicPartition> partitions) {
        delegate.close(partitions);
        // Of the batch it was retrying, Connect drops these partitions' records; whoever gets them begins anew.
        isolation.refused().clear();
        waiting.stream().map(DeadLetterSinkTask::partition).filter(partitions::contains).forEach(undelivered::add);
        waiting = List.of();
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        if (hopeless != null) {
            throw hopeless;
        }
        List<SinkRecord> batch = List.copyOf(records);
        waiting = batch;
        try {
            isolation.write(batch);
        } catch (RuntimeException failure) {
            throw judged(failure, batch);
        } finally {
            metrics.isolated(isolation.isolationMillis());
        }
        int refused = isolation.refused().size();
        report(batch);
        metrics.wrote(batch.size() - refused);
        if (backoffMillis > FIRST_BACKOFF_MILLIS) {
            LOG.info("The database writes again");
        }
        backoffMillis = FIRST_BACKOFF_MILLIS;
        waiting = List.of();
        batch.forEach(record -> undelivered.remove(partition(record)));
    }

    /**
     * Wait for the dead letters, then commit what was handled: nothing while a batch is being retried.
     *
     * <p>Connect remembers how far a batch reached, even after it dropped those of its records whose partitions were
     * taken away, and after the next success, be it of no record, it takes them for written.
     */
    @Override
    public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        awaitLetters();
        if (!waiting.isEmpty()) {
            return Map.of();
        }
        delegate.preCommit(new HashMap<>(offsets));
        offsets.keySet().removeAll(undelivered);
        return offsets;
    }

    @Override
    public void stop() {
        if (delegate != null) {
            delegate.discard();
        }
        if (isolation != null) {
            isolation.close();
        }
        if (metrics != null) {
            metrics.unregister();
        }
    }

    private static TopicPartition partition(SinkRecord record) {
        return new TopicPartition(record.originalTopic(), record.originalKafkaPartition());
    }

    private void report(List<SinkRecord> batch) {
        Map<Coordinates, RefusedRecordException> refused = isolation.refused();
        if (refused.isEmpty()) {
            return;
        }
        ErrantRecordReporter reporter = context.errantRecordReporter();
        for (SinkRecord record : batch) {
            RefusedRecordException reason = refused.get(Coordinates.of(record));
            if (reason != null && reporter == null) {
                throw new ConnectException("A record is refused and there is no dead letter queue; set errors.tolerance"
                        + " and errors.deadletterqueue.topic.name: " + Coordinates.of(record), reason);
            }
            if (reason != null) {
                reports.add(sent(reporter, record, reason));
                metrics.deadLettered(reason.sqlState().isEmpty() ? "none" : reason.sqlState());
            }
        }
        refused.clear();
    }

    /**
     * Send a dead letter.
     *
     * <p>Where Connect's producer refuses a letter at once (too large, nobody may write to the topic), Connect returns
     * what it returns without a queue: something completed. A letter that is written could only be so by chance, if the
     * broker was faster than this thread, so it is sent again; the queue's table knows it by where its record stands.
     */
    private Future<Void> sent(ErrantRecordReporter reporter, SinkRecord record, RefusedRecordException reason) {
        Future<Void> report = reporter.report(record, reason);
        for (int sent = 1; hasQueue && report instanceof CompletableFuture && report.isDone(); sent++) {
            if (sent == REPORTS_AT_MOST) {
                throw new ConnectException("The dead letter of " + Coordinates.of(record) + " cannot be written: is it"
                        + " too large, or may Connect not write to the topic? The worker's log says why", reason);
            }
            report = reporter.report(record, reason);
        }
        return report;
    }

    /** Wait for all dead letters. What fails here has Connect read again everything since the last commit. */
    private void awaitLetters() {
        Throwable refusal;
        try {
            refusal = LetterReceipts.await();
            for (Future<Void> report : reports) {
                report.get();
            }
        } catch (ExecutionException error) {
            refusal = error.getCause();
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new RetriableException("Interrupted while dead letters were being written", error);
        }
        reports.clear();
        if (refusal == null) {
            return;
        }
        ConnectException failure = new ConnectException("A dead letter cannot be written: " + refusal.getMessage()
                + ". Nothing is committed; its record is read again", refusal);
        if (!(refusal instanceof org.apache.kafka.common.errors.RetriableException)) {
            hopeless = failure;
        }
        throw failure;
    }

    private RuntimeException judged(RuntimeException failure, List<SinkRecord> batch) {
        SqlState judgement = SqlState.of(failure);
        // Debezium finds out by itself that a table or column is missing, and then there is no SQLState.
        boolean mayBeUndeclared = judgement == SqlState.WRONG_DECLARATION || SqlState.code(failure).isEmpty();
        String missing = mayBeUndeclared ? target.missing(batch).orElse("") : "";
        if (judgement == SqlState.WRONG_DECLARATION || !missing.isEmpty()) {
            return new ConnectException("The records do not fit their table: "
                    + (missing.isEmpty() ? "" : missing + "; ") + tables(batch) + ": " + described(failure)
                    + ". Change the table; the task starts again by itself once its columns differ", failure);
        }
        return retried(failure);
    }

    private String tables(List<SinkRecord> batch) {
        return String.join(", ", batch.stream().map(record -> target.name(record.topic())).distinct().toList());
    }

    private RetriableException retried(RuntimeException failure) {
        metrics.retried();
        retriesSinceLogged++;
        if (System.nanoTime() - loggedNanos >= LOG_INTERVAL_NANOS) {
            LOG.warn("The database cannot write just now, attempts since the last such line: {}; {}",
                    retriesSinceLogged, described(failure));
            loggedNanos = System.nanoTime();
            retriesSinceLogged = 0;
        }
        context.timeout(backoffMillis);
        backoffMillis = Math.min(backoffMillis * 2, LAST_BACKOFF_MILLIS);
        target.forget();
        return new RetriableException("The database cannot write just now: " + described(failure), failure);
    }

    private static String described(Throwable failure) {
        String code = SqlState.code(failure);
        return (code.isEmpty() ? "" : "SQLState " + code + ": ") + SqlState.reason(failure);
    }
}
