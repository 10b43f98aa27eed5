package useranalytics.copy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
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
    private final Map<Target, Upsert> upserts = new LinkedHashMap<>();

    @Override
    public String version() {
        return CopySinkConnector.VERSION;
    }

    @Override
    public void start(Map<String, String> settings) {
        config = new CopySinkConfig(settings);
        database = new Database(config);
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        Map<Target, List<Struct>> rows = new LinkedHashMap<>();
        for (SinkRecord record : records) {
            if (record.value() == null) {
                continue;
            }
            if (!(record.value() instanceof Struct row)) {
                throw new DataException("The value is no record with a schema but a "
                        + record.value().getClass().getSimpleName());
            }
            Target target = new Target(config.table(record.topic()), row.schema());
            rows.computeIfAbsent(target, key -> new ArrayList<>(records.size())).add(row);
        }
        try {
            for (Map.Entry<Target, List<Struct>> entry : rows.entrySet()) {
                upsert(entry.getKey()).write(entry.getValue());
            }
        } catch (SQLException error) {
            throw new ConnectException("PostgreSQL did not take the rows: " + error.getMessage(), error);
        }
    }

    @Override
    public void stop() {
        if (database != null) {
            database.close();
        }
    }

    private Upsert upsert(Target target) throws SQLException {
        Upsert known = upserts.get(target);
        if (known == null) {
            known = new Upsert(database, target.table(), target.schema(), config.keyFields());
            upserts.put(target, known);
        }
        return known;
    }

    private record Target(String table, Schema schema) {}
}
