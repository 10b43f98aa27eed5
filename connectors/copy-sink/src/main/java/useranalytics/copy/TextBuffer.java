package useranalytics.copy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing buffer of UTF-8 text. */
final class TextBuffer {
    private byte[] bytes = new byte[1 << 17];
    private int size;

    byte[] bytes() {
        return bytes;
    }

    int size() {
        return size;
    }

    void clear() {
        size = 0;
    }

    /** Add one ASCII character as it is. */
    void raw(char character) {
        reserve(1);
        bytes[size++] = (byte) character;
    }

    /** Add ASCII text that needs no escape. */
    @SuppressWarnings("deprecation")
    void plain(String text) {
        int length = text.length();
        reserve(length);
        // Deprecated because it drops the upper byte of each character; ASCII has none, and nothing is faster.
        text.getBytes(0, length, bytes, size);
        size += length;
    }

    void number(long number) {
        if (number < 0 || number >= 1_000_000_000) {
            plain(Long.toString(number));
            return;
        }
        reserve(9);
        int rest = (int) number;
        int end = size + digits(rest);
        size = end;
        do {
            bytes[--end] = (byte) ('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
    }

    /** Add any text, with COPY's escapes for backslash, tab and line ends. */
    void escaped(String text) {
        int length = text.length();
        reserve(2 * length);
        int at = size;
        for (int index = 0; index < length; index++) {
            char character = text.charAt(index);
            if (character >= 0x80) {
                size = at;
                beyondAscii(text, index);
                return;
            }
            if (character == '\\' || character == '\t' || character == '\n' || character == '\r') {
                bytes[at++] = '\\';
                bytes[at++] = (byte) escape(character);
            } else {
                bytes[at++] = (byte) character;
            }
        }
        size = at;
    }

    private void beyondAscii(String text, int from) {
        byte[] encoded = text.substring(from).getBytes(StandardCharsets.UTF_8);
        reserve(2 * encoded.length);
        for (byte each : encoded) {
            char character = (char) each;
            if (character == '\\' || character == '\t' || character == '\n' || character == '\r') {
                bytes[size++] = '\\';
                bytes[size++] = (byte) escape(character);
            } else {
                bytes[size++] = each;
            }
        }
    }

    private static char escape(char character) {
        return switch (character) {
            case '\t' -> 't';
            case '\n' -> 'n';
            case '\r' -> 'r';
            default -> '\\';
        };
    }

    private static int digits(int number) {
        int digits = 1;
        for (int rest = number; rest >= 10; rest /= 10) {
            digits++;
        }
        return digits;
    }

    private void reserve(int more) {
        if (size + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
