package useranalytics.connect;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.connect.errors.RetriableException;

/**
 * Passes the bytes of a dead letter through, and refuses letters of records that only had to wait.
 *
 * <p>A task that does not end within {@code task.shutdown.graceful.timeout.ms} because a record waits for the Schema
 * Registry is given up by Connect, which then reports that record and all after it as dead letters, although whoever
 * gets the partition reads them again. Refused, they end the task that was given up, and nothing else.
 *
 * <p>Set as {@code producer.override.value.serializer} of a connector with {@code errors.retry.timeout=-1}.
 */
public final class DeadLetterSerializer implements Serializer<byte[]> {
    private static final String FAILURE = "__connect.errors.exception.class.name";
    private static final String RETRIABLE = RetriableException.class.getName();

    @Override
    public byte[] serialize(String topic, byte[] value) {
        return value;
    }

    @Override
    public byte[] serialize(String topic, Headers headers, byte[] value) {
        Header failure = headers.lastHeader(FAILURE);
        if (failure != null && RETRIABLE.equals(new String(failure.value(), StandardCharsets.UTF_8))) {
            throw new SerializationException("Connect gave up a record that only had to wait; that is no reason for a"
                    + " dead letter in " + topic + ": it is read again. Where no task is being stopped, set"
                    + " errors.retry.timeout to -1");
        }
        return value;
    }
}
