package useranalytics.copy;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigException;

/** The settings, named as those of Debezium's JDBC sink, so that only {@code delegate.class} tells which one writes. */
final class CopySinkConfig extends AbstractConfig {
    static final ConfigDef DEFINITIONS = new ConfigDef()
            .define("connection.url", Type.STRING, ConfigDef.NO_DEFAULT_VALUE, CopySinkConfig::requirePostgres,
                    Importance.HIGH, "JDBC URL of a PostgreSQL database.")
            .define("connection.username", Type.STRING, "", Importance.HIGH, "Who connects.")
            .define("connection.password", Type.PASSWORD, "", Importance.HIGH, "The password of that user.")
            .define("collection.name.format", Type.STRING, "${topic}", Importance.HIGH,
                    "The table, with its schema if need be; ${topic} stands for the topic with _ for each dot.")
            .define("primary.key.mode", Type.STRING, "record_value", ValidString.in("record_value", "record_key"),
                    Importance.HIGH, "Where the fields of the primary key are: in the value or in the key.")
            .define("primary.key.fields", Type.LIST, ConfigDef.NO_DEFAULT_VALUE, Importance.HIGH,
                    "The fields of the table's primary key.")
            .define("insert.mode", Type.STRING, "upsert", ValidString.in("upsert"), Importance.MEDIUM,
                    "What happens to a row that is there already: it is replaced.")
            .define("delete.enabled", Type.BOOLEAN, false, Importance.MEDIUM,
                    "Whether a tombstone deletes the row of its key, which needs primary.key.mode=record_key, "
                            + "or is skipped.")
            .define("schema.evolution", Type.STRING, "none", ValidString.in("none"), Importance.MEDIUM,
                    "Tables are changed by nobody but their owner.");

    CopySinkConfig(Map<String, String> settings) {
        super(DEFINITIONS, settings, false);
    }

    String url() {
        return getString("connection.url");
    }

    String user() {
        return getString("connection.username");
    }

    String password() {
        return getPassword("connection.password").value();
    }

    List<String> keyFields() {
        return getList("primary.key.fields");
    }

    boolean keyInKey() {
        return "record_key".equals(getString("primary.key.mode"));
    }

    boolean deletes() {
        return getBoolean("delete.enabled") && keyInKey();
    }

    String table(String topic) {
        return getString("collection.name.format").replace("${topic}", topic.replace('.', '_'));
    }

    private static void requirePostgres(String name, Object value) {
        if (value != null && !value.toString().startsWith("jdbc:postgresql:")) {
            throw new ConfigException(name, value, "COPY needs PostgreSQL: jdbc:postgresql://host:port/database");
        }
    }
}
