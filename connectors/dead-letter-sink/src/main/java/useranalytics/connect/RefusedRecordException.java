package useranalytics.connect;

import org.apache.kafka.connect.errors.ConnectException;

/** One record that the database will never accept; the message starts with the SQLState. */
public final class RefusedRecordException extends ConnectException {
    private static final long serialVersionUID = 1L;

    private final String sqlState;

    RefusedRecordException(Throwable failure) {
        super("SQLState " + named(failure) + ": " + SqlState.reason(failure), failure);
        sqlState = named(failure);
    }

    String sqlState() {
        return sqlState;
    }

    private static String named(Throwable failure) {
        String code = SqlState.code(failure);
        return code.isEmpty() ? "none" : code;
    }
}
