package useranalytics.connect;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.connect.sink.SinkRecord;

/** A record and its texts, column by column. */
record ProbedRow(SinkRecord record, List<String> texts) {

    /** Return the row as a line of COPY's text format. */
    byte[] line() {
        StringBuilder line = new StringBuilder(256);
        for (String text : texts) {
            if (text == null) {
                line.append("\\N");
            } else {
                escape(text, line);
            }
            line.append('\t');
        }
        line.setCharAt(line.length() - 1, '\n');
        return line.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void escape(String text, StringBuilder line) {
        for (int index = 0; index < text.length(); index++) {
            char character = text.charAt(index);
            switch (character) {
                case '\\' -> line.append("\\\\");
                case '\t' -> line.append("\\t");
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                default -> line.append(character);
            }
        }
    }
}
