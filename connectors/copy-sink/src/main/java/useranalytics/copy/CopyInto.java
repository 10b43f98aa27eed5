package useranalytics.copy;

import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/** COPY … FROM STDIN of some columns of records. */
final class CopyInto {
    private static final int CHUNK_BYTES = 1 << 16;

    private final Database database;
    private final CopyText text;
    private final String columns;

    CopyInto(Database database, List<Column> columns) throws SQLException {
        this.database = database;
        this.text = new CopyText(columns);
        this.columns = Column.quoted(columns);
    }

    /** Return the columns as SQL lists them. */
    String columns() {
        return columns;
    }

    void copy(String table, Collection<SinkRecord> records) throws SQLException {
        String statement = "COPY " + table + " (" + columns + ") FROM STDIN";
        CopyIn copy = database.connection().unwrap(PGConnection.class).getCopyAPI().copyIn(statement);
        try {
            for (SinkRecord record : records) {
                text.add(record);
                if (text.size() >= CHUNK_BYTES) {
                    copy.writeToCopy(text.bytes(), 0, text.size());
                    text.clear();
                }
            }
            copy.writeToCopy(text.bytes(), 0, text.size());
            copy.endCopy();
        } finally {
            text.clear();
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }
}
