package useranalytics.connect;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.kafka.connect.errors.DataException;

/** What a failure means, judged by the class of its SQLState (the first two characters, as in ISO 9075). */
enum SqlState {
    /** Class 22 or 23: this row will never be accepted. */
    BAD_DATA,
    /** Class 42: table, column or type do not fit; a person has to change a declaration. */
    WRONG_DECLARATION,
    /** Anything else: the database cannot write just now. */
    DATABASE_ILL;

    static SqlState of(Throwable failure) {
        String state = code(failure);
        if (state.startsWith("22") || state.startsWith("23")) {
            return BAD_DATA;
        }
        if (state.startsWith("42")) {
            return WRONG_DECLARATION;
        }
        return state.isEmpty() && find(failure, DataException.class) != null ? BAD_DATA : DATABASE_ILL;
    }

    /** Return the SQLState, empty if the failure has none. */
    static String code(Throwable failure) {
        SQLException exception = sqlException(failure);
        return exception == null ? "" : exception.getSQLState();
    }

    /** Return what the database said, without the statement that the driver quotes around it. */
    static String reason(Throwable failure) {
        SQLException exception = sqlException(failure);
        if (exception != null) {
            return exception.getMessage();
        }
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage();
    }

    /** Return the exception that carries the SQLState: the server's own rather than the batch's around it. */
    private static SQLException sqlException(Throwable failure) {
        SQLException answer = null;
        for (Throwable each : chain(failure)) {
            if (each instanceof SQLException exception && exception.getSQLState() != null
                    && (answer == null || answer instanceof BatchUpdateException)) {
                answer = exception;
            }
        }
        return answer;
    }

    private static <T extends Throwable> T find(Throwable failure, Class<T> type) {
        return chain(failure).stream().filter(type::isInstance).map(type::cast).findFirst().orElse(null);
    }

    /** Return the failure with its causes and its next exceptions, each once, outermost first. */
    private static Set<Throwable> chain(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Throwable> ordered = new LinkedHashSet<>();
        Deque<Throwable> waiting = new ArrayDeque<>();
        waiting.add(failure);
        while (!waiting.isEmpty()) {
            Throwable each = waiting.remove();
            if (!seen.add(each)) {
                continue;
            }
            ordered.add(each);
            if (each.getCause() != null) {
                waiting.add(each.getCause());
            }
            if (each instanceof SQLException exception && exception.getNextException() != null) {
                waiting.add(exception.getNextException());
            }
        }
        return ordered;
    }
}
