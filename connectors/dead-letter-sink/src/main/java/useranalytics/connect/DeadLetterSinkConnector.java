package useranalytics.connect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** A sink connector that gives another one the dead letters of Connect: one for each record the database refuses. */
public final class DeadLetterSinkConnector extends SinkConnector {
    static final String VERSION = "1.0.0";

    private SinkConnector delegate;
    private String delegateClass;
    private TableWatch watch;

    @Override
    public String version() {
        return VERSION;
    }

    @Override
    public void start(Map<String, String> settings) {
        delegateClass = DeadLetterSinkConfig.delegateClass(settings);
        delegate = DeadLetterSinkConfig.newDelegate(delegateClass);
        delegate.initialize(context());
        delegate.start(settings);
        watch = new TableWatch(settings, context()::requestTaskReconfiguration);
    }

    @Override
    public Class<? extends Task> taskClass() {
        return DeadLetterSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        List<Map<String, String>> configs = new ArrayList<>();
        for (Map<String, String> delegated : delegate.taskConfigs(maxTasks)) {
            Map<String, String> config = new HashMap<>(delegated);
            config.put(DeadLetterSinkConfig.DELEGATE_CLASS, delegateClass);
            config.put(DeadLetterSinkConfig.TASK_CLASS, delegate.taskClass().getName());
            config.put(DeadLetterSinkConfig.TABLES, watch.fingerprint());
            configs.add(config);
        }
        return configs;
    }

    @Override
    public void stop() {
        if (watch != null) {
            watch.close();
        }
        if (delegate != null) {
            delegate.stop();
        }
    }

    /** Return our definitions and the default delegate's; Connect asks before it knows the settings. */
    @Override
    public ConfigDef config() {
        ConfigDef merged = DeadLetterSinkConfig.definitions();
        try {
            ConfigDef delegated = DeadLetterSinkConfig.newDelegate(DeadLetterSinkConfig.DEFAULT_DELEGATE).config();
            delegated.configKeys().values().stream()
                    .filter(key -> !merged.names().contains(key.name))
                    .forEach(merged::define);
        } catch (ConfigException absent) {
            return merged;
        }
        return merged;
    }

    @Override
    public Config validate(Map<String, String> settings) {
        List<ConfigValue> values = new ArrayList<>(DeadLetterSinkConfig.definitions().validate(settings));
        try {
            SinkConnector validating = DeadLetterSinkConfig.newDelegate(DeadLetterSinkConfig.delegateClass(settings));
            values.addAll(validating.validate(settings).configValues());
        } catch (ConfigException error) {
            values.stream()
                    .filter(value -> value.name().equals(DeadLetterSinkConfig.DELEGATE_CLASS))
                    .forEach(value -> value.addErrorMessage(error.getMessage()));
        }
        return new Config(values);
    }

    @Override
    public boolean alterOffsets(Map<String, String> settings, Map<TopicPartition, Long> offsets) {
        SinkConnector altering = DeadLetterSinkConfig.newDelegate(DeadLetterSinkConfig.delegateClass(settings));
        altering.alterOffsets(settings, offsets);
        // The consumer group's offsets are all there is, whatever the delegate keeps besides.
        return true;
    }
}
