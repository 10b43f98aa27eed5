package useranalytics.copy;

import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.kafka.connect.sink.SinkRecord;

/** Deletes the rows whose keys tombstones carry, each batch as one transaction. */
final class Delete implements Writer {
    private final Database database;
    private final Staging staging;
    private final String deleteStaged;

    Delete(Database database, String table, List<Column> key) throws SQLException {
        this.database = database;
        staging = new Staging(database, table, key);
        deleteStaged = "DELETE FROM " + Column.quotedPath(table) + " AS old USING " + staging.name()
                + " AS gone WHERE " + key.stream()
                .map(column -> "old." + column.quoted() + " = gone." + column.quoted())
                .collect(Collectors.joining(" AND "));
    }

    @Override
    public void write(List<SinkRecord> tombstones) throws SQLException {
        database.commit(statement -> {
            staging.fill(statement, tombstones);
            statement.execute(deleteStaged);
        });
    }
}
