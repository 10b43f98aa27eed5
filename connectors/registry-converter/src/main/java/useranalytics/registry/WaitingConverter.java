package useranalytics.registry;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.connect.components.Versioned;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.storage.Converter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Converts by another converter, and has Connect try again where that could not ask the Schema Registry.
 *
 * <p>Otherwise each record would become a dead letter while the registry is away. Connectors need
 * {@code errors.retry.timeout}; a record whose schema the registry does not know stays a dead letter.
 */
public final class WaitingConverter implements Converter, Versioned {
    static final String DELEGATE_CLASS = "delegate.converter.class";

    private static final Logger LOG = LoggerFactory.getLogger(WaitingConverter.class);
    private static final String VERSION = "1.0.0";
    private static final long LOG_INTERVAL_NANOS = 60_000_000_000L;
    private static final ConfigDef DEFINITIONS = new ConfigDef().define(DELEGATE_CLASS, Type.STRING,
            "io.apicurio.registry.utils.converter.AvroConverter", Importance.MEDIUM, "The converter that converts.");

    /** What the registry's client raises if it got no answer, or none about a schema. */
    private static final Set<String> NO_ANSWER = Set.of(
            "io.apicurio.registry.rest.client.exception.RestClientException",
            "io.apicurio.registry.rest.client.exception.RateLimitedClientException",
            "io.apicurio.rest.client.auth.exception.NotAuthorizedException",
            "io.apicurio.rest.client.auth.exception.ForbiddenException");

    private static final AtomicLong LOGGED_NANOS = new AtomicLong(System.nanoTime() - LOG_INTERVAL_NANOS);

    private Converter delegate;

    @Override
    public void configure(Map<String, ?> settings, boolean isKey) {
        String name = String.valueOf(DEFINITIONS.parse(settings).get(DELEGATE_CLASS));
        try {
            Class<?> found = Class.forName(name, true, WaitingConverter.class.getClassLoader());
            delegate = found.asSubclass(Converter.class).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException | LinkageError | ClassCastException error) {
            throw new ConfigException(DELEGATE_CLASS, name, "is no converter in the plugin directory (" + error + ")");
        }
        // The delegate looks for classes of its own by their names.
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        Thread.currentThread().setContextClassLoader(WaitingConverter.class.getClassLoader());
        try {
            delegate.configure(settings, isKey);
        } finally {
            Thread.currentThread().setContextClassLoader(before);
        }
    }

    @Override
    public SchemaAndValue toConnectData(String topic, Headers headers, byte[] value) {
        return answered(() -> delegate.toConnectData(topic, headers, value));
    }

    @Override
    public SchemaAndValue toConnectData(String topic, byte[] value) {
        return answered(() -> delegate.toConnectData(topic, value));
    }

    @Override
    public byte[] fromConnectData(String topic, Headers headers, Schema schema, Object value) {
        return answered(() -> delegate.fromConnectData(topic, headers, schema, value));
    }

    @Override
    public byte[] fromConnectData(String topic, Schema schema, Object value) {
        return answered(() -> delegate.fromConnectData(topic, schema, value));
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef(DEFINITIONS);
    }

    @Override
    public String version() {
        return VERSION;
    }

    @Override
    public void close() throws IOException {
        if (delegate != null) {
            delegate.close();
        }
    }

    private static <T> T answered(Supplier<T> conversion) {
        try {
            return conversion.get();
        } catch (RuntimeException failure) {
            if (!isWithoutAnswer(failure)) {
                throw failure;
            }
            long logged = LOGGED_NANOS.get();
            long now = System.nanoTime();
            if (now - logged >= LOG_INTERVAL_NANOS && LOGGED_NANOS.compareAndSet(logged, now)) {
                LOG.warn("The Schema Registry does not answer, records wait: {}", root(failure).toString());
            }
            throw new RetriableException("The Schema Registry does not answer: " + root(failure), failure);
        }
    }

    private static boolean isWithoutAnswer(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (NO_ANSWER.contains(each.getClass().getName()) || isFromNetwork(each)) {
                return true;
            }
        }
        return false;
    }

    /** Whether an exception comes out of Java's HTTP client, which has none of its own for most failures. */
    private static boolean isFromNetwork(Throwable failure) {
        for (StackTraceElement frame : failure.getStackTrace()) {
            if (frame.getClassName().startsWith("jdk.internal.net.http.")) {
                return true;
            }
        }
        return false;
    }

    private static Throwable root(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}
