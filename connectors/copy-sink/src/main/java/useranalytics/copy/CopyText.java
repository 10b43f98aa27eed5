package useranalytics.copy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;

/** Rows of one schema in the text format of COPY: a line a row, a tab between fields, \N for null. */
final class CopyText {
    private final List<Field> fields;
    private final FieldText[] writers;
    private final TextBuffer buffer = new TextBuffer();

    CopyText(Schema schema) throws SQLException {
        fields = schema.fields();
        List<FieldText> each = new ArrayList<>(fields.size());
        for (Field field : fields) {
            each.add(FieldText.of(field));
        }
        writers = each.toArray(FieldText[]::new);
    }

    void add(Struct row) {
        for (int position = 0; position < writers.length; position++) {
            if (position > 0) {
                buffer.raw('\t');
            }
            Object value = row.get(fields.get(position));
            if (value == null) {
                buffer.raw('\\');
                buffer.raw('N');
            } else {
                writers[position].write(value, buffer);
            }
        }
        buffer.raw('\n');
    }

    byte[] bytes() {
        return buffer.bytes();
    }

    int size() {
        return buffer.size();
    }

    void clear() {
        buffer.clear();
    }
}
