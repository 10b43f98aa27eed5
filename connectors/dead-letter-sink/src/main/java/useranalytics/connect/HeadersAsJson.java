package useranalytics.connect;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.StringJoiner;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.header.Headers;

/**
 * The headers a record had before it failed, as JSON from which a replay restores every byte.
 *
 * <p>Each is {@code {"name": …}} with {@code "text"} where the value is UTF-8 that PostgreSQL can store, with
 * {@code "hex"} where not, and with neither where the value is null.
 */
final class HeadersAsJson {
    private HeadersAsJson() {}

    static String of(Headers headers) {
        StringJoiner json = new StringJoiner(",", "[", "]");
        for (Header header : headers) {
            if (!header.key().startsWith(DeadLetterRow.CONTEXT) && !header.key().startsWith(DeadLetterRow.ORIGIN)) {
                json.add("{\"name\":" + quoted(header.key().replace('\0', '\uFFFD')) + value(header) + "}");
            }
        }
        return json.toString();
    }

    private static String value(Header header) {
        if (!(header.value() instanceof byte[] bytes)) {
            return "";
        }
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            if (text.indexOf('\0') < 0) {
                return ",\"text\":" + quoted(text);
            }
        } catch (CharacterCodingException binary) {
            // Then it is no text.
        }
        return ",\"hex\":\"" + HexFormat.of().formatHex(bytes) + "\"";
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder(text.length() + 2).append('"');
        for (int index = 0; index < text.length(); index++) {
            char character = text.charAt(index);
            if (character == '"' || character == '\\') {
                json.append('\\').append(character);
            } else if (character < ' ') {
                json.append(String.format("\\u%04x", (int) character));
            } else {
                json.append(character);
            }
        }
        return json.append('"').toString();
    }
}
