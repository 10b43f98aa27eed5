package useranalytics.connect;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.components.Versioned;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Makes the row of {@code dead_letter_queue} out of a record of a dead letter queue; key, value and headers as bytes.
 *
 * <p>A replayed record that failed again keeps the coordinates of its first failure, which the replay wrote into its
 * headers together with the number of the attempt. Those headers count on a retry topic only: anybody may write headers
 * of that name elsewhere. What a header lacks or garbles is replaced, because a dead letter has nowhere else to go.
 */
public final class DeadLetterRow<R extends ConnectRecord<R>> implements Transformation<R>, Versioned {
    /** Headers that Connect writes into dead letters. */
    static final String CONTEXT = "__connect.errors.";

    /** Headers that {@code pipeline dlq replay} writes: topic, partition, offset, attempt. */
    static final String ORIGIN = "pipeline.dead-letter.";

    private static final Pattern SQL_STATE = Pattern.compile("SQLState ([0-9A-Z]{5}): .*", Pattern.DOTALL);
    private static final Pattern INTEGER = Pattern.compile("[0-9]{1,9}");
    private static final Pattern LONG = Pattern.compile("[0-9]{1,18}");

    private static final Schema ROW = SchemaBuilder.struct().name("useranalytics.DeadLetter")
            .field("source_topic", Schema.STRING_SCHEMA)
            .field("source_partition", Schema.INT32_SCHEMA)
            .field("source_offset", Schema.INT64_SCHEMA)
            .field("connector", Schema.STRING_SCHEMA)
            .field("stage", Schema.STRING_SCHEMA)
            .field("sql_state", Schema.OPTIONAL_STRING_SCHEMA)
            .field("error_type", Schema.STRING_SCHEMA)
            .field("error_message", Schema.OPTIONAL_STRING_SCHEMA)
            .field("event_key", Schema.OPTIONAL_BYTES_SCHEMA)
            .field("event_data", Schema.OPTIONAL_BYTES_SCHEMA)
            .field("headers", Schema.STRING_SCHEMA)
            .field("retry_count", Schema.INT32_SCHEMA)
            .build();

    @Override
    public R apply(R letter) {
        String message = text(letter, CONTEXT + "exception.message", null);
        Struct row = new Struct(ROW)
                .put("connector", text(letter, CONTEXT + "connector.name", "unknown"))
                .put("stage", text(letter, CONTEXT + "stage", "unknown"))
                .put("sql_state", sqlState(message))
                .put("error_type", text(letter, CONTEXT + "exception.class.name", "unknown"))
                .put("error_message", message)
                .put("event_key", letter.key())
                .put("event_data", letter.value())
                .put("headers", HeadersAsJson.of(letter.headers()));
        if (!putReplayed(row, letter)) {
            putFirstFailure(row, letter);
        }
        return letter.newRecord(letter.topic(), letter.kafkaPartition(), null, null, ROW, row, letter.timestamp());
    }

    private static boolean putReplayed(Struct row, ConnectRecord<?> letter) {
        String topic = text(letter, ORIGIN + "topic", "");
        String partition = text(letter, ORIGIN + "partition", "");
        String offset = text(letter, ORIGIN + "offset", "");
        String attempt = text(letter, ORIGIN + "attempt", "");
        String retryTopic = topic + ".retry." + row.getString("connector");
        if (!retryTopic.equals(text(letter, CONTEXT + "topic", "")) || !INTEGER.matcher(partition).matches()
                || !LONG.matcher(offset).matches() || !INTEGER.matcher(attempt).matches()) {
            return false;
        }
        putCoordinates(row, topic, Integer.parseInt(partition), Long.parseLong(offset));
        row.put("retry_count", Integer.parseInt(attempt));
        return true;
    }

    /** Put where the record came from; a record that Connect did not write has only its own coordinates. */
    private static void putFirstFailure(Struct row, ConnectRecord<?> letter) {
        String topic = text(letter, CONTEXT + "topic", "");
        String partition = text(letter, CONTEXT + "partition", "");
        String offset = text(letter, CONTEXT + "offset", "");
        if (!topic.isEmpty() && INTEGER.matcher(partition).matches() && LONG.matcher(offset).matches()) {
            putCoordinates(row, topic, Integer.parseInt(partition), Long.parseLong(offset));
        } else {
            long own = letter instanceof SinkRecord record ? record.kafkaOffset() : -1;
            putCoordinates(row, letter.topic(), letter.kafkaPartition(), own);
        }
        row.put("retry_count", 0);
    }

    private static void putCoordinates(Struct row, String topic, int partition, long offset) {
        row.put("source_topic", topic).put("source_partition", partition).put("source_offset", offset);
    }

    /** Return a header as text that PostgreSQL can store; the last one of that name, which is Connect's own. */
    private static String text(ConnectRecord<?> letter, String name, String absent) {
        Header header = letter.headers().lastWithName(name);
        if (header == null || !(header.value() instanceof byte[] bytes)) {
            return absent;
        }
        return new String(bytes, StandardCharsets.UTF_8).replace('\0', '\uFFFD');
    }

    private static String sqlState(String message) {
        Matcher found = SQL_STATE.matcher(message == null ? "" : message);
        return found.matches() ? found.group(1) : null;
    }

    @Override
    public String version() {
        return DeadLetterSinkConnector.VERSION;
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public void configure(Map<String, ?> settings) {
        // There is nothing to set.
    }

    @Override
    public void close() {
        // There is nothing to close.
    }
}
