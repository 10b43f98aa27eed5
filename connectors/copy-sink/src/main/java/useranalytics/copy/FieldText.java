package useranalytics.copy;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.chrono.IsoEra;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.SignStyle;
import java.time.temporal.ChronoField;
import java.util.HexFormat;
import java.util.Set;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;

/** Writes the values of one field as PostgreSQL reads them, escaped for COPY. */
@FunctionalInterface
interface FieldText {
    /** What a person must change: a declaration. */
    String DATATYPE_MISMATCH = "42804";

    /** Types of Debezium that are text in a form that PostgreSQL reads. */
    Set<String> PLAIN_TEXT = Set.of("io.debezium.data.Uuid", "io.debezium.data.Json", "io.debezium.data.Enum",
            "io.debezium.data.Xml", "io.debezium.time.ZonedTimestamp", "io.debezium.time.ZonedTime");

    DateTimeFormatter DAY = new DateTimeFormatterBuilder()
            .appendValue(ChronoField.YEAR_OF_ERA, 4, 10, SignStyle.NEVER).appendPattern("-MM-dd").toFormatter();
    DateTimeFormatter MOMENT = new DateTimeFormatterBuilder().append(DAY).appendPattern(" HH:mm:ss.SSSX").toFormatter();

    void write(Object value, TextBuffer buffer);

    /** Return the writer of a field; throws SQLState 42804 if there is none for its type, or refuses the record. */
    static FieldText of(Field field) throws SQLException {
        Schema schema = field.schema();
        String name = schema.name() == null ? "" : schema.name();
        switch (name) {
            case Timestamp.LOGICAL_NAME:
                return (value, buffer) -> buffer.plain(dated((java.util.Date) value, MOMENT));
            case Date.LOGICAL_NAME:
                return (value, buffer) -> buffer.plain(dated((java.util.Date) value, DAY));
            case Time.LOGICAL_NAME:
                return (value, buffer) -> buffer.plain(timeOfDay((java.util.Date) value));
            case Decimal.LOGICAL_NAME:
                return (value, buffer) -> buffer.plain(((BigDecimal) value).toPlainString());
            default:
                return name.isEmpty() || PLAIN_TEXT.contains(name) ? ofType(field) : unknown(field);
        }
    }

    private static FieldText ofType(Field field) throws SQLException {
        return switch (field.schema().type()) {
            case STRING -> (value, buffer) -> buffer.escaped((String) value);
            case INT8, INT16, INT32, INT64 -> (value, buffer) -> buffer.number(((Number) value).longValue());
            case FLOAT32, FLOAT64, BOOLEAN -> (value, buffer) -> buffer.plain(value.toString());
            case BYTES -> (value, buffer) -> {
                buffer.plain("\\\\x");
                buffer.plain(hexadecimal(value));
            };
            default -> unknown(field);
        };
    }

    private static FieldText unknown(Field field) throws SQLException {
        String type = field.schema().name() == null ? field.schema().type().getName() : field.schema().name();
        String reason = "field " + field.name() + " has the type " + type + ", which the COPY sink does not write;"
                + " set delegate.class to io.debezium.connector.jdbc.JdbcSinkConnector";
        if (!field.schema().type().isPrimitive()) {
            // No column here is declared for an array, a map or a struct: the record is another topic's.
            throw new DataException(reason);
        }
        throw new SQLException(reason, DATATYPE_MISMATCH);
    }

    private static String dated(java.util.Date value, DateTimeFormatter format) {
        var moment = value.toInstant().atZone(ZoneOffset.UTC);
        return format.format(moment) + (moment.toLocalDate().getEra() == IsoEra.BCE ? " BC" : "");
    }

    private static String timeOfDay(java.util.Date value) {
        return Instant.ofEpochMilli(value.getTime()).atZone(ZoneOffset.UTC).toLocalTime().toString();
    }

    private static String hexadecimal(Object value) {
        if (value instanceof byte[] bytes) {
            return HexFormat.of().formatHex(bytes);
        }
        byte[] bytes = new byte[((ByteBuffer) value).remaining()];
        ((ByteBuffer) value).duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
