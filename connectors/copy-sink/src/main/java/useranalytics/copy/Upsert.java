package useranalytics.copy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Writes rows, each batch as one transaction.
 *
 * <p>Rows that are new go straight into the table. If one of them is there already, the batch goes into a temporary
 * table and from there INSERT … ON CONFLICT replaces it; so do the batches after it, because redelivered rows come
 * together. How many doubles each time the straight way fails again.
 */
final class Upsert implements Writer {
    private static final String UNIQUE_VIOLATION = "23505";
    private static final String SAME_ROW_TWICE = "21000";
    private static final int MOST_STAGED = 256;

    private final Database database;
    private final List<Column> key;
    private final CopyInto rows;
    private final String path;
    private final Staging staging;
    private final String insertFromStaging;
    private int staged;
    private int stagedNext = 1;

    Upsert(Database database, String table, List<Column> key, List<Column> values) throws SQLException {
        this.database = database;
        this.key = key;
        List<String> keyNames = key.stream().map(Column::name).toList();
        List<Column> others = values.stream().filter(column -> !keyNames.contains(column.name())).toList();
        List<Column> columns = new ArrayList<>(key);
        columns.addAll(others);
        rows = new CopyInto(database, columns);
        path = Column.quotedPath(table);
        staging = new Staging(database, table, columns);
        insertFromStaging = "INSERT INTO " + path + " (" + rows.columns() + ") SELECT " + rows.columns() + " FROM "
                + staging.name() + " ON CONFLICT (" + key.stream().map(Column::quoted).collect(Collectors.joining(", "))
                + ") DO " + update(others);
    }

    @Override
    public void write(List<SinkRecord> records) throws SQLException {
        Collection<SinkRecord> latest = latest(records);
        if (staged == 0) {
            try {
                rows.copy(path, latest);
                return;
            } catch (SQLException error) {
                if (!UNIQUE_VIOLATION.equals(error.getSQLState())) {
                    throw error;
                }
                staged = stagedNext;
                stagedNext = Math.min(stagedNext * 2, MOST_STAGED);
            }
        }
        staged--;
        replace(new ArrayList<>(latest));
    }

    private void replace(List<SinkRecord> records) throws SQLException {
        Connection connection = database.connection();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            staging.fill(statement, records);
            statement.execute(insertFromStaging);
            connection.commit();
        } catch (SQLException error) {
            connection.rollback();
            if (!SAME_ROW_TWICE.equals(error.getSQLState()) || records.size() == 1) {
                throw error;
            }
            // Keys that differ here and are equal there, such as a UUID in two spellings: one after the other.
            replace(records.subList(0, records.size() / 2));
            replace(records.subList(records.size() / 2, records.size()));
        } finally {
            connection.setAutoCommit(true);
        }
    }

    /** Return the last record of each key, in their order: two spellings of a key are told apart by PostgreSQL only. */
    private Collection<SinkRecord> latest(List<SinkRecord> records) {
        Map<Object, SinkRecord> latest = new LinkedHashMap<>(records.size() * 2);
        for (SinkRecord record : records) {
            Object value = key.size() == 1 ? key.get(0).of(record)
                    : key.stream().map(column -> column.of(record)).collect(Collectors.toList());
            latest.remove(value);
            latest.put(value, record);
        }
        return latest.values();
    }

    private static String update(List<Column> others) {
        String changes = others.stream().map(column -> column.quoted() + " = EXCLUDED." + column.quoted())
                .collect(Collectors.joining(", "));
        return changes.isEmpty() ? "NOTHING" : "UPDATE SET " + changes;
    }
}
