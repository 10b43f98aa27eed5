package useranalytics.copy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Writes rows of one schema into one table, each batch as one transaction.
 *
 * <p>Rows that are new go straight into the table. If one of them is there already, the batch goes into a temporary
 * table and from there INSERT … ON CONFLICT replaces it; so do the batches after it, because redelivered rows come
 * together. How many doubles each time the straight way fails again.
 */
final class Upsert {
    private static final String UNIQUE_VIOLATION = "23505";
    private static final String SAME_ROW_TWICE = "21000";
    private static final String UNDEFINED_COLUMN = "42703";
    private static final int MOST_STAGED = 256;
    private static final int CHUNK_BYTES = 1 << 16;

    private final Database database;
    private final CopyText text;
    private final List<Field> key;
    private final String copyToTable;
    private final String createStaging;
    private final String copyToStaging;
    private final String insertFromStaging;
    private boolean stagingExists;
    private int staged;
    private int stagedNext = 1;

    Upsert(Database database, String table, Schema schema, List<String> keyFields) throws SQLException {
        this.database = database;
        this.text = new CopyText(schema);
        this.key = required(schema, keyFields);
        List<String> columns = schema.fields().stream().map(field -> column(field.name())).toList();
        List<String> keyColumns = keyFields.stream().map(Upsert::column).toList();
        String path = path(table);
        String list = String.join(", ", columns);
        String staging = quoted("staging of " + table);
        copyToTable = "COPY " + path + " (" + list + ") FROM STDIN";
        createStaging = "CREATE TEMPORARY TABLE " + staging + " ON COMMIT DELETE ROWS AS SELECT " + list + " FROM " + path
                + " WITH NO DATA";
        copyToStaging = "COPY " + staging + " (" + list + ") FROM STDIN";
        insertFromStaging = "INSERT INTO " + path + " (" + list + ") SELECT " + list + " FROM " + staging
                + " ON CONFLICT (" + String.join(", ", keyColumns) + ") DO " + update(columns, keyColumns);
    }

    /** Write the rows; of those with the same key the last one counts. */
    void write(List<Struct> rows) throws SQLException {
        Collection<Struct> latest = latest(rows);
        if (staged == 0) {
            try {
                copy(copyToTable, latest);
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

    private void replace(List<Struct> rows) throws SQLException {
        Connection connection = database.connection();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            if (!stagingExists) {
                statement.execute(createStaging);
            }
            copy(copyToStaging, rows);
            statement.execute(insertFromStaging);
            connection.commit();
            stagingExists = true;
        } catch (SQLException error) {
            connection.rollback();
            if (!SAME_ROW_TWICE.equals(error.getSQLState()) || rows.size() == 1) {
                throw error;
            }
            // Keys that differ here and are equal there, such as a UUID in two spellings: one after the other.
            replace(rows.subList(0, rows.size() / 2));
            replace(rows.subList(rows.size() / 2, rows.size()));
        } finally {
            connection.setAutoCommit(true);
        }
    }

    private void copy(String statement, Collection<Struct> rows) throws SQLException {
        CopyIn copy = database.connection().unwrap(PGConnection.class).getCopyAPI().copyIn(statement);
        try {
            for (Struct row : rows) {
                text.add(row);
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

    private Collection<Struct> latest(List<Struct> rows) {
        Map<Object, Struct> latest = new LinkedHashMap<>(rows.size() * 2);
        for (Struct row : rows) {
            Object value = key.size() == 1 ? row.get(key.get(0)) : key.stream().map(row::get).collect(Collectors.toList());
            latest.put(value, row);
        }
        return latest.values();
    }

    private static String update(List<String> columns, List<String> keyColumns) {
        String changes = columns.stream().filter(column -> !keyColumns.contains(column))
                .map(column -> column + " = EXCLUDED." + column).collect(Collectors.joining(", "));
        return changes.isEmpty() ? "NOTHING" : "UPDATE SET " + changes;
    }

    private static List<Field> required(Schema schema, List<String> names) throws SQLException {
        List<Field> fields = new ArrayList<>();
        for (String name : names) {
            if (schema.field(name) == null) {
                throw new SQLException("the record has no field " + name + ", which primary.key.fields names",
                        UNDEFINED_COLUMN);
            }
            fields.add(schema.field(name));
        }
        return fields;
    }

    private static String column(String field) {
        return quoted(field.toLowerCase(Locale.ROOT));
    }

    private static String path(String table) {
        int dot = table.indexOf('.');
        String name = quoted(table.substring(dot + 1));
        return dot < 0 ? name : quoted(table.substring(0, dot)) + "." + name;
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
