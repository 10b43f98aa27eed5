package useranalytics.connect;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.sink.SinkRecord;

/** A record's fields as the text that PostgreSQL reads. */
final class RowText {
    private RowText() {}

    /** Return field name (lower case) → text or null; null instead of a map if a field has no such text. */
    static Map<String, String> of(SinkRecord record, boolean withKey) {
        Map<String, String> row = new LinkedHashMap<>();
        if (withKey && !(record.key() instanceof Struct key && add(row, key))) {
            return null;
        }
        return record.value() instanceof Struct value && add(row, value) ? row : null;
    }

    private static boolean add(Map<String, String> row, Struct struct) {
        for (Field field : struct.schema().fields()) {
            Object value = struct.get(field);
            String text = value == null ? null : text(field.schema(), value);
            if (value != null && text == null) {
                return false;
            }
            row.put(field.name().toLowerCase(Locale.ROOT), text);
        }
        return true;
    }

    private static String text(Schema schema, Object value) {
        String name = schema.name();
        if (value instanceof String || value instanceof Boolean || value instanceof BigDecimal) {
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
