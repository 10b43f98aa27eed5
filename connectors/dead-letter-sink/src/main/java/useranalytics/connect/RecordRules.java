package useranalytics.connect;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;

/** Refuses records that the delegate would drop without a word, or write although their topic does not allow them. */
final class RecordRules {
    private final boolean refusesNullKeys;
    private final boolean refusesNullValues;

    RecordRules(Map<String, String> settings) {
        refusesNullKeys = Boolean.parseBoolean(settings.get(DeadLetterSinkConfig.REFUSE_NULL_KEYS));
        refusesNullValues = Boolean.parseBoolean(settings.get(DeadLetterSinkConfig.REFUSE_NULL_VALUES));
    }

    /** Return why a record is refused, if it is. */
    Optional<RefusedRecordException> refusal(SinkRecord record) {
        if (refusesNullKeys && isNull(record.key())) {
            return refused("the key is null: records of topic " + record.originalTopic() + " need one");
        }
        if (refusesNullValues && record.value() == null) {
            return refused("the value is null: this sink deletes nothing, so there is nothing to write");
        }
        return Optional.empty();
    }

    /** Whether a key is null, or was before a transformation wrapped it into a struct. */
    private static boolean isNull(Object key) {
        return key == null
                || key instanceof Struct struct && struct.schema().fields().stream().allMatch(field -> struct.get(field) == null);
    }

    private static Optional<RefusedRecordException> refused(String reason) {
        return Optional.of(new RefusedRecordException(new DataException(reason)));
    }
}
