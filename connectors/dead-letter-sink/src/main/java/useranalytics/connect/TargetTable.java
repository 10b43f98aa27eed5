package useranalytics.connect;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;
import useranalytics.connection.DatabaseConnection;

/** The tables a JDBC delegate writes to, as its settings name them and as the database describes them. */
final class TargetTable {
    private final String url;
    private final Properties credentials = new Properties();
    private final String format;
    private final Map<String, Map<String, String>> known = new HashMap<>();

    TargetTable(Map<String, String> settings) {
        url = settings.getOrDefault("connection.url", "");
        format = settings.getOrDefault("collection.name.format", settings.getOrDefault("table.name.format", "${topic}"));
        credentials.setProperty("user", settings.getOrDefault("connection.username", ""));
        credentials.setProperty("password", settings.getOrDefault("connection.password", ""));
        credentials.setProperty("connectTimeout", "10");
        credentials.setProperty("loginTimeout", "10");
        credentials.setProperty("socketTimeout", "60");
        credentials.setProperty("ApplicationName", "dead-letter-sink");
    }

    boolean isPostgres() {
        return url.startsWith("jdbc:postgresql:");
    }

    Connection connect() throws SQLException {
        return DatabaseConnection.open(url, credentials);
    }

    /** Return the table that records of a topic go to. */
    String name(String topic) {
        return format.replace("${topic}", topic.replace('.', '_'));
    }

    /** Return lower-case column name → column name; empty if there is no such table. */
    Map<String, String> columns(Connection connection, String table) throws SQLException {
        Map<String, String> columns = known.get(table);
        if (columns == null) {
            columns = new HashMap<>();
            for (String column : described(connection, table).keySet()) {
                columns.put(column.toLowerCase(Locale.ROOT), column);
            }
            known.put(table, columns);
        }
        return columns;
    }

    /** Return column name → type and whether it may be null, as they are now; empty if there is no such table. */
    SortedMap<String, String> described(Connection connection, String table) throws SQLException {
        int dot = table.indexOf('.');
        DatabaseMetaData catalog = connection.getMetaData();
        String schema = verbatim(dot < 0 ? connection.getSchema() : table.substring(0, dot), catalog);
        SortedMap<String, String> columns = new TreeMap<>();
        try (ResultSet rows = catalog.getColumns(null, schema, verbatim(table.substring(dot + 1), catalog), null)) {
            while (rows.next()) {
                columns.put(rows.getString("COLUMN_NAME"), rows.getString("TYPE_NAME") + " " + rows.getString("IS_NULLABLE"));
            }
        }
        return columns;
    }

    /** Return a name as a pattern that only it fits: JDBC takes _ for any character, and % for any number of them. */
    private static String verbatim(String name, DatabaseMetaData catalog) throws SQLException {
        String escape = Matcher.quoteReplacement(catalog.getSearchStringEscape());
        return name == null ? null : name.replaceAll("[\\\\_%]", escape + "$0");
    }

    /** Forget the columns seen: a failure may mean that they changed. */
    void forget() {
        known.clear();
    }

    /** Return what the records need and the database has not got, in words, if it can be asked. */
    Optional<String> missing(Iterable<SinkRecord> records) {
        forget();
        if (!isPostgres()) {
            return Optional.empty();
        }
        try (Connection connection = connect()) {
            for (SinkRecord record : records) {
                Optional<String> missing = missing(connection, record);
                if (missing.isPresent()) {
                    return missing;
                }
            }
        } catch (SQLException unreachable) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    private Optional<String> missing(Connection connection, SinkRecord record) throws SQLException {
        String table = name(record.topic());
        Map<String, String> columns = columns(connection, table);
        if (columns.isEmpty()) {
            return Optional.of("table " + table + " does not exist");
        }
        if (!(record.value() instanceof Struct value)) {
            return Optional.empty();
        }
        Set<String> absent = new TreeSet<>();
        for (Field field : value.schema().fields()) {
            if (!columns.containsKey(field.name().toLowerCase(Locale.ROOT))) {
                absent.add(field.name());
            }
        }
        return absent.isEmpty() ? Optional.empty()
                : Optional.of("table " + table + " has no column " + String.join(", ", absent));
    }

    static String quotedPath(String table) {
        int dot = table.indexOf('.');
        String name = quoted(table.substring(dot + 1));
        return dot < 0 ? name : quoted(table.substring(0, dot)) + "." + name;
    }

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
