package useranalytics.copy;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;

/** A column of the table, and the field of a record's key or value that fills it. */
record Column(String name, Field field, boolean ofKey) {
    /** Return the columns that a value fills. */
    static List<Column> ofValue(Schema schema) {
        return schema.fields().stream().map(field -> new Column(name(field.name()), field, false)).toList();
    }

    /** Return the columns of the primary key; throws what refuses a record where it has no such field. */
    static List<Column> ofPrimaryKey(List<String> names, Schema schema, boolean inKey) {
        List<Column> columns = new ArrayList<>();
        for (String name : names) {
            if (schema.field(name) == null) {
                throw new DataException("the record's " + (inKey ? "key" : "value") + " has no field " + name
                        + ", which primary.key.fields names");
            }
            columns.add(new Column(name(name), schema.field(name), inKey));
        }
        return columns;
    }

    Object of(SinkRecord record) {
        return ((Struct) (ofKey ? record.key() : record.value())).get(field);
    }

    String quoted() {
        return quoted(name);
    }

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** Return columns as SQL lists them. */
    static String quoted(List<Column> columns) {
        return columns.stream().map(Column::quoted).collect(Collectors.joining(", "));
    }

    /** Return a table, with its schema if it has one, as SQL names it. */
    static String quotedPath(String table) {
        int dot = table.indexOf('.');
        String name = quoted(table.substring(dot + 1));
        return dot < 0 ? name : quoted(table.substring(0, dot)) + "." + name;
    }

    private static String name(String field) {
        return field.toLowerCase(Locale.ROOT);
    }
}
