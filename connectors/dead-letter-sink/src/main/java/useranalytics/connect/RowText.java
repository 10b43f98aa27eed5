package useranalytics.connect;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.sink.SinkRecord;

/** Records of one schema as rows of the text that PostgreSQL reads. */
final class RowText {
    /** Types that a delegate sends as the text that they are. */
    private static final Set<String> TEXT_TYPES = Set.of("io.debezium.data.Json", "io.debezium.data.Uuid");

    private final Schema keySchema;
    private final Schema valueSchema;
    private final List<Field> ofKey;
    private final List<Field> ofValue;
    private final List<String> names = new ArrayList<>();

    /** Describe records; {@code keySchema} is null where a row holds nothing of the key, which else counts first. */
    private RowText(Schema keySchema, Schema valueSchema) {
        this.keySchema = keySchema;
        this.valueSchema = valueSchema;
        ofKey = keySchema == null ? List.of() : keySchema.fields();
        ofKey.forEach(field -> names.add(lowerCase(field.name())));
        ofValue = valueSchema.fields().stream().filter(field -> !names.contains(lowerCase(field.name()))).toList();
        ofValue.forEach(field -> names.add(lowerCase(field.name())));
    }

    /** Return the description of a record, or null if it is none of structs. */
    static RowText of(SinkRecord record, boolean withKey) {
        if (!(record.value() instanceof Struct value) || withKey && !(record.key() instanceof Struct)) {
            return null;
        }
        return new RowText(withKey ? ((Struct) record.key()).schema() : null, value.schema());
    }

    /** Whether a record is one of those described. */
    boolean describes(SinkRecord record) {
        return record.value() instanceof Struct value && value.schema().equals(valueSchema)
                && (keySchema == null || record.key() instanceof Struct key && key.schema().equals(keySchema));
    }

    /** Return the fields' names in lower case, in the order of the texts. */
    List<String> names() {
        return names;
    }

    /** Return a record's texts, null where its value is; null instead of a list if a value has no such text. */
    List<String> texts(SinkRecord record) {
        List<String> texts = new ArrayList<>(names.size());
        boolean complete = (keySchema == null || add(texts, (Struct) record.key(), ofKey))
                && add(texts, (Struct) record.value(), ofValue);
        return complete ? texts : null;
    }

    /** Whether a delegate sends the field's very text. */
    boolean isVerbatim(String name) {
        int position = names.indexOf(lowerCase(name));
        if (position < 0) {
            return false;
        }
        Field field = position < ofKey.size() ? ofKey.get(position) : ofValue.get(position - ofKey.size());
        return field.schema().type() == Schema.Type.STRING;
    }

    private static String lowerCase(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private static boolean add(List<String> texts, Struct struct, List<Field> fields) {
        for (Field field : fields) {
            Object value = struct.get(field);
            String text = value == null ? null : text(field.schema(), value);
            if (value != null && text == null) {
                return false;
            }
            texts.add(text);
        }
        return true;
    }

    private static String text(Schema schema, Object value) {
        String name = schema.name();
        if (value instanceof String text) {
            return name == null || TEXT_TYPES.contains(name) ? text : null;
        }
        if (value instanceof Boolean || value instanceof BigDecimal) {
            return value instanceof BigDecimal number ? number.toPlainString() : value.toString();
        }
        if (Timestamp.LOGICAL_NAME.equals(name)) {
            return ((java.util.Date) value).toInstant().toString();
        }
        if (Date.LOGICAL_NAME.equals(name)) {
            return LocalDate.ofInstant(((java.util.Date) value).toInstant(), ZoneOffset.UTC).toString();
        }
        if (Time.LOGICAL_NAME.equals(name)) {
            Instant time = ((java.util.Date) value).toInstant();
            return LocalTime.ofInstant(time, ZoneOffset.UTC).toString();
        }
        if (name != null && !Decimal.LOGICAL_NAME.equals(name)) {
            // Another logical type: only the delegate knows how it writes that.
            return null;
        }
        if (value instanceof Number) {
            return value.toString();
        }
        if (value instanceof byte[] bytes) {
            return "\\x" + HexFormat.of().formatHex(bytes);
        }
        if (value instanceof ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            return "\\x" + HexFormat.of().formatHex(bytes);
        }
        return null;
    }
}
