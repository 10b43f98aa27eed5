package useranalytics.connect;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.sink.SinkConnector;

/** The settings that this connector adds to those of its delegate. */
final class DeadLetterSinkConfig {
    static final String DELEGATE_CLASS = "delegate.class";
    static final String DEFAULT_DELEGATE = "io.debezium.connector.jdbc.JdbcSinkConnector";
    static final String REFUSE_NULL_KEYS = "refuse.null.keys";
    static final String REFUSE_NULL_VALUES = "refuse.null.values";

    /** Set by the connector for its tasks, never by a person, as is the next. */
    static final String TASK_CLASS = "delegate.task.class";
    static final String TABLES = "delegate.tables.fingerprint";

    private DeadLetterSinkConfig() {}

    static ConfigDef definitions() {
        return new ConfigDef()
                .define(DELEGATE_CLASS, Type.STRING, DEFAULT_DELEGATE, Importance.HIGH,
                        "The sink connector that writes, a batch before it accepts the next (empty) one; "
                                + "all its settings stand beside this one.")
                .define(REFUSE_NULL_KEYS, Type.BOOLEAN, false, Importance.MEDIUM,
                        "Whether a record without a key becomes a dead letter.")
                .define(REFUSE_NULL_VALUES, Type.BOOLEAN, false, Importance.MEDIUM,
                        "Whether a record without a value becomes a dead letter; for delegates that would skip it.");
    }

    static String delegateClass(Map<String, String> settings) {
        return settings.getOrDefault(DELEGATE_CLASS, DEFAULT_DELEGATE);
    }

    static SinkConnector newDelegate(String className) {
        return newInstance(className, SinkConnector.class, DELEGATE_CLASS);
    }

    /** Create an object of a class that lies in the same plugin directory as this one. */
    static <T> T newInstance(String className, Class<T> type, String setting) {
        try {
            Class<?> found = Class.forName(className, true, DeadLetterSinkConfig.class.getClassLoader());
            return found.asSubclass(type).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException | LinkageError | ClassCastException error) {
            throw new ConfigException(setting, className,
                    "is no " + type.getSimpleName() + " in the plugin directory of this connector (" + error + ")");
        }
    }
}
