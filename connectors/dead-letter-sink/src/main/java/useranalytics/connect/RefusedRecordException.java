package useranalytics.connect;

import org.apache.kafka.connect.errors.ConnectException;

/** One record that will never be accepted; the message starts with the SQLState, if the database refused it. */
public final class RefusedRecordException extends ConnectException {
    private static final long serialVersionUID = 1L;

    private final String sqlState;

    RefusedRecordException(Throwable failure) {
        super(prefix(failure) + SqlState.reason(failure), failure);
        sqlState = SqlState.code(failure);
    }

    /** Return the SQLState, empty where the database was not asked. */
    String sqlState() {
        return sqlState;
    }

    private static String prefix(Throwable failure) {
        String code = SqlState.code(failure);
        return code.isEmpty() ? "" : "SQLState " + code + ": ";
    }
}
