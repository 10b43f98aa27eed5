package useranalytics.connect;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.connect.sink.SinkRecord;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;

/**
 * Finds the rows that the types and constraints of a table refuse, with COPY into a temporary table made like it.
 *
 * <p>That table has no index, no trigger and no log, and an error names the line it is about, so each bad row costs one
 * statement more, however many good rows are around it. Where a trigger may change a row before the constraints see it,
 * nobody is suspected here.
 */
final class ConstraintProbe {
    private static final int ROWS_AT_ONCE = 250;

    private final CopyManager copies;
    private final ProbedRows rows;
    private final String copy;
    private final Pattern where;

    private ConstraintProbe(Connection connection, ProbedRows rows, List<String> columns) throws SQLException {
        this.copies = connection.unwrap(PGConnection.class).getCopyAPI();
        this.rows = rows;
        copy = "COPY " + temporary(rows) + " (" + String.join(", ", columns) + ") FROM STDIN";
        // Where PostgreSQL was: "COPY user_events, line 17, column metadata: …", in its language.
        where = Pattern.compile("^COPY \\Q" + name(rows) + "\\E\\D+(\\d{1,6})(?:,\\s\\S+\\s([^:]+):)?", Pattern.MULTILINE);
    }

    /** Add the rows that are refused, with why; constraints may have changed since the last time. */
    static void examine(
            Connection connection, ProbedRows rows, Map<String, String> columns, Map<SinkRecord, Suspicion> suspects)
            throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (mayBeChangedFirst(statement, rows)) {
                return;
            }
            // Named like the table, because the name is part of what a person reads of an error.
            statement.execute("CREATE TEMPORARY TABLE " + TargetTable.quoted(name(rows)) + " (LIKE "
                    + TargetTable.quotedPath(rows.table())
                    + " INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY)");
            new ConstraintProbe(connection, rows, rows.quotedColumns(columns)).examine(suspects);
            statement.execute("DROP TABLE " + temporary(rows));
        }
    }

    /** Whether the table has a trigger BEFORE INSERT FOR EACH ROW that is enabled: bits 4, 2 and 1 of its type. */
    private static boolean mayBeChangedFirst(Statement statement, ProbedRows rows) throws SQLException {
        String table = TargetTable.quotedPath(rows.table()).replace("'", "''");
        try (ResultSet found = statement.executeQuery("SELECT 1 FROM pg_trigger WHERE tgrelid = '" + table
                + "'::regclass AND tgenabled IN ('O', 'A') AND tgtype & 7 = 7 LIMIT 1")) {
            return found.next();
        }
    }

    private static String name(ProbedRows rows) {
        return rows.table().substring(rows.table().indexOf('.') + 1);
    }

    private static String temporary(ProbedRows rows) {
        return "pg_temp." + TargetTable.quoted(name(rows));
    }

    private void examine(Map<SinkRecord, Suspicion> suspects) throws SQLException {
        List<byte[]> lines = rows.rows().stream().map(ProbedRow::line).toList();
        int start = 0;
        while (start < lines.size()) {
            int end = Math.min(start + ROWS_AT_ONCE, lines.size());
            SQLException failure = attempt(lines.subList(start, end));
            if (failure == null) {
                start = end;
            } else {
                Matcher place = place(failure, end - start);
                start += Integer.parseInt(place.group(1));
                suspects.put(rows.rows().get(start - 1).record(), suspicion(failure, place.group(2)));
            }
        }
    }

    private Suspicion suspicion(SQLException failure, String column) {
        boolean certain = !Suspicion.ABOUT_TEXT.contains(SqlState.code(failure))
                || column != null && rows.text().isVerbatim(column.replace("\"", ""));
        return new Suspicion(new RefusedRecordException(failure), certain);
    }

    /** Copy lines, and return why they are refused, if they are; throws what is not the fault of a row. */
    private SQLException attempt(List<byte[]> lines) throws SQLException {
        CopyIn copying = copies.copyIn(copy);
        try {
            for (byte[] line : lines) {
                copying.writeToCopy(line, 0, line.length);
            }
            copying.endCopy();
            return null;
        } catch (SQLException failure) {
            if (SqlState.of(failure) != SqlState.BAD_DATA) {
                throw failure;
            }
            return failure;
        } finally {
            if (copying.isActive()) {
                copying.cancelCopy();
            }
        }
    }

    /** Return number of the line, from 1, and name of the column if it is known; throws the error if it names no line. */
    private Matcher place(SQLException failure, int lines) throws SQLException {
        if (failure instanceof PSQLException error && error.getServerErrorMessage() != null) {
            Matcher found = where.matcher(String.valueOf(error.getServerErrorMessage().getWhere()));
            if (found.find() && Integer.parseInt(found.group(1)) - 1 < lines && !found.group(1).equals("0")) {
                return found;
            }
        }
        throw failure;
    }
}
