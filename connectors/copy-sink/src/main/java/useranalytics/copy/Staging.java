package useranalytics.copy;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;

/** A temporary table with some columns of another one, of the same types but with no constraint; empty at each commit. */
final class Staging {
    private final CopyInto rows;
    private final String name;
    private final String create;

    /** The number tells apart the tables of one connection, however long the name of the other table is. */
    Staging(Database database, String table, List<Column> columns) throws SQLException {
        rows = new CopyInto(database, columns);
        name = Column.quoted("staging " + database.nextNumber() + " of " + table);
        create = "CREATE TEMPORARY TABLE IF NOT EXISTS " + name + " ON COMMIT DELETE ROWS AS SELECT " + rows.columns()
                + " FROM " + Column.quotedPath(table) + " WITH NO DATA";
    }

    String name() {
        return name;
    }

    /** Fill the table, within a transaction; what created it may have been rolled back. */
    void fill(Statement statement, Collection<SinkRecord> records) throws SQLException {
        statement.execute(create);
        rows.copy(name, records);
    }
}
