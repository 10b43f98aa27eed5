package useranalytics.copy;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** Writes records into tables of PostgreSQL with COPY; a row that is there already is replaced. */
public final class CopySinkConnector extends SinkConnector {
    static final String VERSION = "1.0.0";

    private Map<String, String> settings;

    @Override
    public String version() {
        return VERSION;
    }

    @Override
    public void start(Map<String, String> given) {
        settings = Map.copyOf(given);
    }

    @Override
    public Class<? extends Task> taskClass() {
        return CopySinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return Collections.nCopies(maxTasks, settings);
    }

    @Override
    public void stop() {}

    @Override
    public ConfigDef config() {
        return CopySinkConfig.DEFINITIONS;
    }

    @Override
    public Config validate(Map<String, String> given) {
        Config validated = super.validate(given);
        if ("true".equalsIgnoreCase(given.get("delete.enabled"))
                && !"record_key".equals(given.get("primary.key.mode"))) {
            validated.configValues().stream().filter(value -> value.name().equals("delete.enabled"))
                    .forEach(value -> value.addErrorMessage("a tombstone has a key only: set primary.key.mode=record_key"));
        }
        return validated;
    }

    @Override
    public boolean alterOffsets(Map<String, String> given, Map<TopicPartition, Long> offsets) {
        // The consumer group's offsets are all there is.
        return true;
    }
}
