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
 * changes; the fingerprint is part of that. A person then only has to put the table right.
 */
final class TableWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TableWatch.class);
    private static final long PERIOD_SECONDS = 10;

    private final TargetTable target;
    private final Set<String> tables = new HashSet<>();
    private final Runnable whenChanged;
    private final ScheduledExecutorService schedule;
    private volatile String fingerprint;

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
        schedule.shutdownNow();
    }

    private void compare() {
        String now = look();
        // The first answer after a start without a database is no change either.
        boolean changed = !now.isEmpty() && !fingerprint.isEmpty() && !now.equals(fingerprint);
        if (!now.isEmpty()) {
            fingerprint = now;
        }
        if (changed) {
            LOG.info("The columns of {} have changed: the tasks start again", String.join(", ", tables));
            whenChanged.run();
        }
    }

    private String look() {
        if (!target.isPostgres()) {
            return "";
        }
        target.forget();
        Map<String, Object> columns = new TreeMap<>();
        try (Connection connection = target.connect()) {
            for (String table : tables) {
                columns.put(table, target.described(connection, table));
            }
        } catch (SQLException unreachable) {
            return "";
        }
        return Integer.toHexString(columns.hashCode());
    }
}
