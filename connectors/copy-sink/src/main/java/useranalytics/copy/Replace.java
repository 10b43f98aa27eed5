package useranalytics.copy;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.kafka.connect.sink.SinkRecord;

/** Writes rows whether they are there already or not: into a temporary table, from there by INSERT … ON CONFLICT. */
final class Replace {
    static final String SAME_ROW_TWICE = "21000";

    private final Database database;
    private final Staging staging;
    private final String insertFromStaging;

    Replace(Database database, String table, List<Column> columns, List<Column> key) throws SQLException {
        this.database = database;
        staging = new Staging(database, table, columns);
        String names = Column.quoted(columns);
        insertFromStaging = "INSERT INTO " + Column.quotedPath(table) + " (" + names + ") SELECT " + names + " FROM "
                + staging.name() + " ON CONFLICT (" + Column.quoted(key) + ") DO "
                + update(columns.stream().filter(column -> !key.contains(column)).toList());
    }

    /** Write a batch as one transaction, or as several if it has one row twice. */
    void write(List<SinkRecord> records) throws SQLException {
        try {
            database.commit(statement -> write(statement, records));
        } catch (SQLException error) {
            if (!SAME_ROW_TWICE.equals(error.getSQLState()) || records.size() == 1) {
                throw error;
            }
            // Keys that differ here and are equal there, such as a UUID in two spellings: one after the other.
            write(records.subList(0, records.size() / 2));
            write(records.subList(records.size() / 2, records.size()));
        }
    }

    /** Write within a transaction. */
    void write(Statement statement, List<SinkRecord> records) throws SQLException {
        staging.fill(statement, records);
        statement.execute(insertFromStaging);
    }

    private static String update(List<Column> others) {
        String changes = others.stream().map(column -> column.quoted() + " = EXCLUDED." + column.quoted())
                .collect(Collectors.joining(", "));
        return changes.isEmpty() ? "NOTHING" : "UPDATE SET " + changes;
    }
}
