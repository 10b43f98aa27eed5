package useranalytics.connect;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that the columns of the target tables have changed.
 *
 * <p>A task that failed because its table lacked a column is started again by Connect when the configuration of tasks
 * changes; the fingerprint is part of that. A person then only has to put the table right. A change and its undoing
 * within one period go unnoticed.
 */
final class TableWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TableWatch.class);
    private static final long PERIOD_SECONDS = 3;

    private final TargetTable target;
    private final Set<String> tables = new HashSet<>();
    private final Runnable whenChanged;
    private final ScheduledExecutorService schedule;
    private volatile String fingerprint;
    private Connection connection;

    TableWatch(Map<String, String> settings, Runnable whenChanged) {
        target = new TargetTable(settings);
        for (String topic : settings.getOrDefault("topics", "").split(",")) {
            tables.add(target.name(topic.trim()));
        }
        this.whenChanged = whenChanged;
        fingerprint = look();
        schedule = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "dead-letter-sink-table-watch");
            thread.setDaemon(true);
            return thread;
        });
        schedule.scheduleWithFixedDelay(this::compare, PERIOD_SECONDS, PERIOD_SECONDS, TimeUnit.SECONDS);
    }

    /** Return what tells these columns from others; empty while the database does not say. */
    String fingerprint() {
        return fingerprint;
    }

    @Override
    public void close() {
        schedule.execute(this::disconnect);
        schedule.shutdown();
    }

    private void compare() {
        try {
            String now = look();
            // The first answer after a start without a database is no change either.
            boolean changed = !now.isEmpty() && !fingerprint.isEmpty() && !now.equals(fingerprint);
            String before = fingerprint;
            fingerprint = now.isEmpty() ? before : now;
            if (changed) {
                LOG.info("The columns of {} have changed: the tasks start again", String.join(", ", tables));
                try {
                    whenChanged.run();
                } catch (RuntimeException refused) {
                    fingerprint = before;
                    throw refused;
                }
            }
        } catch (RuntimeException error) {
            // A scheduled task that throws is never run again.
            LOG.warn("The columns could not be compared, once more in {} s: {}", PERIOD_SECONDS, error.toString());
        }
    }

    private String look() {
        if (!target.isPostgres()) {
            return "";
        }
        Map<String, Object> columns = new TreeMap<>();
        try {
            if (connection == null) {
                connection = target.connect();
            }
            for (String table : tables) {
                columns.put(table, target.described(connection, table));
            }
        } catch (SQLException unreachable) {
            disconnect();
            return "";
        }
        return Integer.toHexString(columns.hashCode());
    }

    private void disconnect() {
        try (Connection closing = connection) {
            connection = null;
        } catch (SQLException error) {
            LOG.debug("The connection of the table watch did not close cleanly", error);
        }
    }
}
