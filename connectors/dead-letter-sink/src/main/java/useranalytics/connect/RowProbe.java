package useranalytics.connect;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Types;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.connect.sink.SinkRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the rows that PostgreSQL refuses, over a connection of its own, in a transaction that is rolled back.
 *
 * <p>{@code ON CONFLICT DO NOTHING} checks types, NOT NULL and CHECK of a row before it looks for the key, so rows that
 * exist already are no obstacle. A split costs a savepoint here, not a restart of the delegate. For any other database
 * or form of record it suspects nobody, which is safe: then the batch is halved through the delegate.
 */
final class RowProbe {
    private static final Logger LOG = LoggerFactory.getLogger(RowProbe.class);
    private static final int ROWS_AT_ONCE = 32;
    private static final int TIMEOUT_SECONDS = 30;

    /** Depends on the text in which a value is sent, or on rows that the rollback hides. */
    private static final Set<String> DOUBTFUL = Set.of("22P02", "22P03", "22007", "22023", "23503", "23505");

    private final TargetTable target;
    private final boolean withKey;

    RowProbe(Map<String, String> settings, TargetTable target) {
        this.target = target;
        this.withKey = "record_key".equals(settings.get("primary.key.mode"));
    }

    static boolean isCertain(RefusedRecordException suspicion) {
        return !DOUBTFUL.contains(suspicion.sqlState());
    }

    /** Return the records, by identity, that the database refuses, with its reason. */
    Map<SinkRecord, RefusedRecordException> examine(List<SinkRecord> records) {
        Map<SinkRecord, RefusedRecordException> suspects = new IdentityHashMap<>();
        if (!target.isPostgres()) {
            return suspects;
        }
        try (Connection connection = target.connect()) {
            connection.setAutoCommit(false);
            for (Map.Entry<List<Object>, List<Row>> group : groups(connection, records).entrySet()) {
                examine(connection, group.getValue(), suspects);
            }
            connection.rollback();
        } catch (SQLException error) {
            LOG.debug("The direct search for bad rows gave up", error);
        }
        return suspects;
    }

    /** Return the rows that fit their table, by table and columns. */
    private Map<List<Object>, List<Row>> groups(Connection connection, List<SinkRecord> records) throws SQLException {
        Map<List<Object>, List<Row>> groups = new LinkedHashMap<>();
        for (SinkRecord record : records) {
            Map<String, String> text = record.value() == null ? null : RowText.of(record, withKey);
            String table = target.name(record.topic());
            if (text != null && target.columns(connection, table).keySet().containsAll(text.keySet())) {
                Row row = new Row(record, table, text);
                groups.computeIfAbsent(List.of(table, List.copyOf(text.keySet())), key -> new ArrayList<>()).add(row);
            }
        }
        return groups;
    }

    private void examine(Connection connection, List<Row> rows, Map<SinkRecord, RefusedRecordException> suspects)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(statement(connection, rows.get(0)))) {
            insert.setQueryTimeout(TIMEOUT_SECONDS);
            for (int start = 0; start < rows.size(); start += ROWS_AT_ONCE) {
                List<Row> some = rows.subList(start, Math.min(start + ROWS_AT_ONCE, rows.size()));
                halve(connection, insert, some, null, suspects);
            }
        }
    }

    private void halve(Connection connection, PreparedStatement insert, List<Row> rows, SQLException known,
            Map<SinkRecord, RefusedRecordException> suspects) throws SQLException {
        SQLException failure = known == null ? attempt(connection, insert, rows) : known;
        if (failure == null) {
            return;
        }
        if (rows.size() == 1) {
            suspects.put(rows.get(0).record(), new RefusedRecordException(failure));
            return;
        }
        List<Row> left = rows.subList(0, rows.size() / 2);
        List<Row> right = rows.subList(rows.size() / 2, rows.size());
        SQLException leftFailure = attempt(connection, insert, left);
        if (leftFailure != null) {
            halve(connection, insert, left, leftFailure, suspects);
        }
        halve(connection, insert, right, leftFailure == null ? failure : null, suspects);
    }

    /** Insert the rows, and return why they are refused, if they are; throws what is not the fault of a row. */
    private static SQLException attempt(Connection connection, PreparedStatement insert, List<Row> rows)
            throws SQLException {
        Savepoint before = connection.setSavepoint();
        try {
            for (Row row : rows) {
                int position = 0;
                for (String text : row.text().values()) {
                    insert.setObject(++position, text, Types.OTHER);
                }
                insert.addBatch();
            }
            insert.executeBatch();
            connection.releaseSavepoint(before);
            return null;
        } catch (SQLException failure) {
            insert.clearBatch();
            if (SqlState.of(failure) != SqlState.BAD_DATA) {
                throw failure;
            }
            connection.rollback(before);
            return failure;
        }
    }

    private String statement(Connection connection, Row row) throws SQLException {
        Map<String, String> columns = target.columns(connection, row.table());
        String names = row.text().keySet().stream()
                .map(field -> TargetTable.quoted(columns.get(field))).collect(Collectors.joining(", "));
        String parameters = row.text().keySet().stream().map(field -> "?").collect(Collectors.joining(", "));
        return "INSERT INTO " + TargetTable.quotedPath(row.table()) + " (" + names + ") VALUES (" + parameters
                + ") ON CONFLICT DO NOTHING";
    }

    private record Row(SinkRecord record, String table, Map<String, String> text) {}
}
