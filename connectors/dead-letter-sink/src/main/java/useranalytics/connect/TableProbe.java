package useranalytics.connect;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Types;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Finds the rows that only a table itself refuses, with its indexes and triggers: inserts halves of halves.
 *
 * <p>{@code ON CONFLICT DO NOTHING} lets rows pass that exist already.
 */
final class TableProbe {
    private static final int ROWS_AT_ONCE = 32;
    private static final int TIMEOUT_SECONDS = 30;

    /** SQLStates that depend on other rows, which the rollback may hide. */
    private static final Set<String> ABOUT_OTHER_ROWS = Set.of("23503", "23505");

    private final Connection connection;
    private final String statement;

    private TableProbe(Connection connection, ProbedRows rows, List<String> columns) {
        this.connection = connection;
        String parameters = columns.stream().map(column -> "?").collect(Collectors.joining(", "));
        statement = "INSERT INTO " + TargetTable.quotedPath(rows.table()) + " (" + String.join(", ", columns) + ") VALUES ("
                + parameters + ") ON CONFLICT DO NOTHING";
    }

    /** Add the rows that are refused, with why; nothing of it stays in the table. */
    static void examine(
            Connection connection, ProbedRows rows, Map<String, String> columns, Map<SinkRecord, Suspicion> suspects)
            throws SQLException {
        connection.setAutoCommit(false);
        new TableProbe(connection, rows, rows.quotedColumns(columns)).examine(rows.rows(), suspects);
        connection.rollback();
        connection.setAutoCommit(true);
    }

    private void examine(List<ProbedRow> rows, Map<SinkRecord, Suspicion> suspects) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(statement)) {
            insert.setQueryTimeout(TIMEOUT_SECONDS);
            for (int start = 0; start < rows.size(); start += ROWS_AT_ONCE) {
                List<ProbedRow> some = rows.subList(start, Math.min(start + ROWS_AT_ONCE, rows.size()));
                halve(insert, some, null, suspects);
            }
        }
    }

    private void halve(PreparedStatement insert, List<ProbedRow> rows, SQLException known,
            Map<SinkRecord, Suspicion> suspects) throws SQLException {
        SQLException failure = known == null ? attempt(insert, rows) : known;
        if (failure == null) {
            return;
        }
        if (rows.size() == 1) {
            String state = SqlState.code(failure);
            boolean certain = !ABOUT_OTHER_ROWS.contains(state) && !Suspicion.ABOUT_TEXT.contains(state);
            suspects.put(rows.get(0).record(), new Suspicion(new RefusedRecordException(failure), certain));
            return;
        }
        List<ProbedRow> left = rows.subList(0, rows.size() / 2);
        List<ProbedRow> right = rows.subList(rows.size() / 2, rows.size());
        SQLException leftFailure = attempt(insert, left);
        if (leftFailure != null) {
            halve(insert, left, leftFailure, suspects);
        }
        // A single row is refused only for what it fails with alone: some fail for the company they are in.
        halve(insert, right, leftFailure == null && right.size() > 1 ? failure : null, suspects);
    }

    /** Insert the rows, and return why they are refused, if they are; throws what is not the fault of a row. */
    private SQLException attempt(PreparedStatement insert, List<ProbedRow> rows) throws SQLException {
        Savepoint before = connection.setSavepoint();
        try {
            for (ProbedRow row : rows) {
                int position = 0;
                for (String text : row.texts()) {
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
}
