package useranalytics.copy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** Writes each batch before it returns; fails with the SQLException, for the dead letter sink to judge. */
public final class CopySinkTask extends SinkTask {
    private CopySinkConfig config;
    private Database database;
    private final Map<Form, Writer> writers = new HashMap<>();

    @Override
    public String version() {
        return CopySinkConnector.VERSION;
    }

    @Override
    public void start(Map<String, String> settings) {
        config = new CopySinkConfig(settings);
        database = new Database(config);
    }

    /** Write the records in their order, those together that follow one another and have the same form. */
    @Override
    public void put(Collection<SinkRecord> records) {
        List<SinkRecord> together = new ArrayList<>(records.size());
        Form form = null;
        for (SinkRecord record : records) {
            if (record.value() == null && !config.deletes()) {
                continue;
            }
            Form next = form(record);
            if (!next.equals(form)) {
                write(form, together);
                together.clear();
                form = next;
            }
            together.add(record);
        }
        write(form, together);
    }

    @Override
    public void stop() {
        if (database != null) {
            database.close();
        }
    }

    private Form form(SinkRecord record) {
        Schema key = config.keyInKey() ? schema("key", record.key()) : null;
        Schema value = record.value() == null ? null : schema("value", record.value());
        return new Form(config.table(record.topic()), key, value);
    }

    private static Schema schema(String what, Object data) {
        if (data instanceof Struct struct) {
            return struct.schema();
        }
        throw new DataException("The " + what + " is no record with a schema but "
                + (data == null ? "null" : "a " + data.getClass().getSimpleName()));
    }

    private void write(Form form, List<SinkRecord> records) {
        if (records.isEmpty()) {
            return;
        }
        try {
            Writer writer = writers.get(form);
            if (writer == null) {
                writer = writer(form);
                writers.put(form, writer);
            }
            writer.write(records);
        } catch (SQLException error) {
            throw new ConnectException("PostgreSQL did not take the rows: " + error.getMessage(), error);
        }
    }

    private Writer writer(Form form) throws SQLException {
        boolean inKey = config.keyInKey();
        List<Column> key = Column.ofPrimaryKey(config.keyFields(), inKey ? form.key() : form.value(), inKey);
        return form.value() == null ? new Delete(database, form.table(), key)
                : new Upsert(database, form.table(), key, Column.ofValue(form.value()));
    }

    /** What decides how a record is written; a null value schema is that of a tombstone. */
    private record Form(String table, Schema key, Schema value) {}
}
