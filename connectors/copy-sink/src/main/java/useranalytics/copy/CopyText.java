package useranalytics.copy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;

/** Some columns of records in the text format of COPY: a line a record, a tab between columns, \N for null. */
final class CopyText {
    private final List<Column> columns;
    private final FieldText[] writers;
    private final TextBuffer buffer = new TextBuffer();

    CopyText(List<Column> columns) throws SQLException {
        this.columns = columns;
        List<FieldText> each = new ArrayList<>(columns.size());
        for (Column column : columns) {
            each.add(FieldText.of(column.field()));
        }
        writers = each.toArray(FieldText[]::new);
    }

    void add(SinkRecord record) {
        for (int position = 0; position < writers.length; position++) {
            if (position > 0) {
                buffer.raw('\t');
            }
            Object value = columns.get(position).of(record);
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
