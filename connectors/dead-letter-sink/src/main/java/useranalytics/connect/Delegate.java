package useranalytics.connect;

import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.apache.kafka.connect.sink.SinkTaskContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The task that writes. It is started when first needed, and anew after each failure, because it stays failed. */
final class Delegate {
    private static final Logger LOG = LoggerFactory.getLogger(Delegate.class);

    private final Map<String, String> settings;
    private final SinkTaskContext context;
    private final Set<TopicPartition> partitions = new HashSet<>();
    private SinkTask task;

    Delegate(Map<String, String> settings, SinkTaskContext context) {
        this.settings = settings;
        this.context = context;
    }

    void open(Collection<TopicPartition> added) {
        partitions.addAll(added);
        if (task != null) {
            task.open(added);
        }
    }

    void close(Collection<TopicPartition> removed) {
        partitions.removeAll(removed);
        if (task != null) {
            task.close(removed);
        }
    }

    /** Write the records, and wait until they are written; after a failure the task is gone. */
    void write(Collection<SinkRecord> records) {
        if (records.isEmpty() && task == null) {
            return;
        }
        try {
            running().put(records);
            // Debezium keeps a failure to itself and throws it on the next call.
            if (!records.isEmpty()) {
                running().put(List.of());
            }
        } catch (RuntimeException failure) {
            discard();
            throw failure;
        }
    }

    /** Let the task flush; what it would commit is its own business, because others handle the refused records. */
    void preCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        if (task != null) {
            task.preCommit(offsets);
        }
    }

    /** Stop the task; the next write starts another. */
    void discard() {
        SinkTask stopping = task;
        task = null;
        if (stopping != null) {
            try {
                stopping.stop();
            } catch (RuntimeException error) {
                LOG.warn("The failed delegate did not stop cleanly: {}", error.toString());
            }
        }
    }

    private SinkTask running() {
        if (task == null) {
            SinkTask starting = DeadLetterSinkConfig.newInstance(
                    settings.get(DeadLetterSinkConfig.TASK_CLASS), SinkTask.class, DeadLetterSinkConfig.TASK_CLASS);
            starting.initialize(context);
            task = starting;
            starting.start(settings);
            starting.open(partitions);
        }
        return task;
    }
}
