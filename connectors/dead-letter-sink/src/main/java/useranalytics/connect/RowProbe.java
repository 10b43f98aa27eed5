package useranalytics.connect;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.sink.SinkRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the rows that PostgreSQL refuses, over a connection of its own; nothing of it stays there.
 *
 * <p>That is cheaper than to let the delegate fail, which has to be started again. For any other database or form of
 * record it suspects nobody, which is safe: then the batch is halved through the delegate.
 */
final class RowProbe {
    private static final Logger LOG = LoggerFactory.getLogger(RowProbe.class);

    private final TargetTable target;
    private final boolean withKey;
    private Connection connection;

    RowProbe(Map<String, String> settings, TargetTable target) {
        this.target = target;
        this.withKey = "record_key".equals(settings.get("primary.key.mode"));
    }

    /** Return the records, by identity, that types and constraints of the table refuse. */
    Map<SinkRecord, Suspicion> examine(List<SinkRecord> records) {
        return examine(records, ConstraintProbe::examine);
    }

    /** Return the records, by identity, that the table itself refuses, whatever the reason. */
    Map<SinkRecord, Suspicion> examineInTable(List<SinkRecord> records) {
        return examine(records, TableProbe::examine);
    }

    void close() {
        try (Connection closing = connection) {
            connection = null;
        } catch (SQLException error) {
            LOG.debug("The connection of the probe did not close cleanly", error);
        }
    }

    private Map<SinkRecord, Suspicion> examine(List<SinkRecord> records, Examination examination) {
        Map<SinkRecord, Suspicion> suspects = new IdentityHashMap<>();
        if (!target.isPostgres()) {
            return suspects;
        }
        try {
            if (connection == null) {
                connection = target.connect();
            }
            for (ProbedRows rows : groups(records)) {
                examination.examine(connection, rows, target.columns(connection, rows.table()), suspects);
            }
        } catch (SQLException error) {
            LOG.debug("The direct search for bad rows gave up", error);
            close();
        }
        return suspects;
    }

    /** Return the rows that fit their table, by table and columns. */
    private List<ProbedRows> groups(List<SinkRecord> records) throws SQLException {
        List<ProbedRows> groups = new ArrayList<>();
        for (SinkRecord record : records) {
            ProbedRows rows = group(groups, record);
            List<String> texts = rows == null ? null : rows.text().texts(record);
            if (texts != null) {
                rows.rows().add(new ProbedRow(record, texts));
            }
        }
        groups.removeIf(rows -> rows.rows().isEmpty());
        return groups;
    }

    private ProbedRows group(List<ProbedRows> groups, SinkRecord record) throws SQLException {
        String table = target.name(record.topic());
        for (ProbedRows known : groups) {
            if (known.text().describes(record) && known.table().equals(table)) {
                return known;
            }
        }
        RowText text = RowText.of(record, withKey);
        if (text == null || !target.columns(connection, table).keySet().containsAll(text.names())) {
            return null;
        }
        ProbedRows rows = new ProbedRows(table, text);
        groups.add(rows);
        return rows;
    }

    @FunctionalInterface
    private interface Examination {
        void examine(Connection connection, ProbedRows rows, Map<String, String> columns,
                Map<SinkRecord, Suspicion> suspects) throws SQLException;
    }
}
