package useranalytics.connect;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * Tells refused values from a wrong declaration, where the delegate sends text and PostgreSQL speaks of bad text alike.
 *
 * <p>Knows only pairs of types of which no value ever fits.
 */
final class TypeFit {
    private static final Set<String> NUMBERS =
            Set.of("int2", "int4", "int8", "float4", "float8", "numeric", "serial", "bigserial", "smallserial");
    private static final Set<String> MOMENTS = Set.of("date", "time", "timetz", "timestamp", "timestamptz", "interval");
    private static final Set<String> OTHERS = Set.of("uuid", "bytea", "inet", "cidr", "macaddr");

    private final TargetTable target;
    private final Set<Schema> fitting = new HashSet<>();

    TypeFit(TargetTable target) {
        this.target = target;
    }

    /**
     * Return which column can hold no value of its field, in words, if there is one; asks once for each schema.
     *
     * <p>Throws where the database cannot be asked: then nobody knows whether a record is to blame.
     */
    Optional<String> mismatch(SinkRecord record) {
        if (!target.isPostgres() || !(record.value() instanceof Struct value) || fitting.contains(value.schema())) {
            return Optional.empty();
        }
        try (Connection connection = target.connect()) {
            Map<String, String> columns = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            columns.putAll(target.described(connection, target.name(record.topic())));
            for (Field field : value.schema().fields()) {
                String type = columns.getOrDefault(field.name(), "").split(" ", 2)[0];
                if (neverFits(field.schema(), type)) {
                    return Optional.of("column \"" + field.name() + "\" is of type " + type + " but the field is of type "
                            + (field.schema().name() == null ? field.schema().type() : field.schema().name()));
                }
            }
            fitting.add(value.schema());
        } catch (SQLException unreachable) {
            throw new ConnectException("The columns could not be looked at: " + unreachable.getMessage(), unreachable);
        }
        return Optional.empty();
    }

    private static boolean neverFits(Schema schema, String column) {
        if (Timestamp.LOGICAL_NAME.equals(schema.name())) {
            return NUMBERS.contains(column) || OTHERS.contains(column) || "bool".equals(column);
        }
        boolean isNumber = Decimal.LOGICAL_NAME.equals(schema.name()) || schema.name() == null && switch (schema.type()) {
            case INT8, INT16, INT32, INT64, FLOAT32, FLOAT64 -> true;
            default -> false;
        };
        if (isNumber) {
            return MOMENTS.contains(column) || OTHERS.contains(column);
        }
        return schema.type() == Schema.Type.BOOLEAN
                && (NUMBERS.contains(column) || MOMENTS.contains(column) || OTHERS.contains(column));
    }
}
