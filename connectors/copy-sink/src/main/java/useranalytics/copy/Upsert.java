package useranalytics.copy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Writes rows, each batch as one transaction.
 *
 * <p>Rows that are new go straight into the table, and those of keys that were written lately by a temporary table,
 * because what is sent twice comes soon again. If another row is there already, the whole batch goes by the temporary
 * table; so do the batches after it, because redelivered rows come together. How many doubles each time the straight
 * way fails, and halves each time it does not.
 */
final class Upsert implements Writer {
    private static final String UNIQUE_VIOLATION = "23505";
    private static final int MOST_STAGED = 256;

    private final Database database;
    private final List<Column> key;
    private final CopyInto rows;
    private final String path;
    private final Replace replace;
    private final RecentKeys recent = new RecentKeys();
    private int staged;
    private int stagedNext = 1;

    Upsert(Database database, String table, List<Column> key, List<Column> values) throws SQLException {
        this.database = database;
        this.key = key;
        List<String> keyNames = key.stream().map(Column::name).toList();
        List<Column> columns = new ArrayList<>(key);
        values.stream().filter(column -> !keyNames.contains(column.name())).forEach(columns::add);
        rows = new CopyInto(database, columns);
        path = Column.quotedPath(table);
        replace = new Replace(database, table, columns, key);
    }

    @Override
    public void write(List<SinkRecord> records) throws SQLException {
        Map<Object, SinkRecord> latest = latest(records);
        if (!straight(latest)) {
            replace.write(List.copyOf(latest.values()));
        }
        recent.add(latest.keySet());
    }

    /** Write the batch, its new rows straight, and return true; or false if all of it has to be replaced. */
    private boolean straight(Map<Object, SinkRecord> latest) throws SQLException {
        if (staged > 0) {
            staged--;
            return false;
        }
        List<SinkRecord> fresh = new ArrayList<>(latest.size());
        List<SinkRecord> again = new ArrayList<>();
        latest.forEach((value, record) -> (recent.contains(value) ? again : fresh).add(record));
        if (again.size() > fresh.size()) {
            return false;
        }
        try {
            copy(fresh, again);
        } catch (SQLException error) {
            if (!UNIQUE_VIOLATION.equals(error.getSQLState()) && !Replace.SAME_ROW_TWICE.equals(error.getSQLState())) {
                throw error;
            }
            staged = stagedNext;
            stagedNext = Math.min(stagedNext * 2, MOST_STAGED);
            return false;
        }
        stagedNext = Math.max(stagedNext / 2, 1);
        return true;
    }

    private void copy(List<SinkRecord> fresh, List<SinkRecord> again) throws SQLException {
        if (again.isEmpty()) {
            rows.copy(path, fresh);
            return;
        }
        database.commit(statement -> {
            // First, because they may have been deleted: a fresh row that only PostgreSQL holds equal to one of them
            // then fails all the same, and the batch is written in its order.
            replace.write(statement, again);
            rows.copy(path, fresh);
        });
    }

    /** Return the last record of each key, in their order: two spellings of a key are told apart by PostgreSQL only. */
    private Map<Object, SinkRecord> latest(List<SinkRecord> records) {
        Map<Object, SinkRecord> latest = new LinkedHashMap<>(records.size() * 2);
        for (SinkRecord record : records) {
            Object value = key.size() == 1 ? key.get(0).of(record)
                    : key.stream().map(column -> column.of(record)).collect(Collectors.toList());
            latest.remove(value);
            latest.put(value, record);
        }
        return latest;
    }
}
