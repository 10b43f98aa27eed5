package useranalytics.copy;

import java.sql.SQLException;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;

/** Writes records of one table and one form; of those with the same key the last one counts. */
interface Writer {
    void write(List<SinkRecord> records) throws SQLException;
}
