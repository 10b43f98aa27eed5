package useranalytics.connect;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.connect.errors.DataException;

/** What a failure means, judged by the class of its SQLState (the first two characters, as in ISO 9075). */
enum SqlState {
    /**
     * This row will never be accepted: class 22 (data), 23 (constraint), 54 (too large, such as a key for its index),
     * P0 (a trigger's own refusal); or these rows not together: class 21.
     */
    BAD_DATA,
    /** Class 42: table, column or type do not fit; a person has to change a declaration. */
    WRONG_DECLARATION,
    /** Anything else: the database cannot write just now. */
    DATABASE_ILL;

    private static final Set<String> BAD_DATA_CLASSES = Set.of("21", "22", "23", "54", "P0");

    /** What the delegate raises over a value before the database sees it. */
    private static final List<Class<? extends Throwable>> BAD_VALUES = List.of(DataException.class,
            DateTimeException.class, ArithmeticException.class, ClassCastException.class, NumberFormatException.class);

    static SqlState of(Throwable failure) {
        String state = code(failure);
        if (state.isEmpty()) {
            return BAD_VALUES.stream().anyMatch(type -> isIn(failure, type)) ? BAD_DATA : DATABASE_ILL;
        }
        if (state.length() == 5 && BAD_DATA_CLASSES.contains(state.substring(0, 2))) {
            return BAD_DATA;
        }
        return state.startsWith("42") ? WRONG_DECLARATION : DATABASE_ILL;
    }

    /** Return the SQLState, empty if the failure has none. */
    static String code(Throwable failure) {
        SQLException exception = sqlException(failure);
        return exception == null ? "" : exception.getSQLState();
    }

    /** Return what the database said, without the statement that the driver quotes around it, or the line of a COPY. */
    static String reason(Throwable failure) {
        SQLException exception = sqlException(failure);
        if (exception != null) {
            return String.valueOf(exception.getMessage()).split("\n {2}Where: ", 2)[0];
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

    private static boolean isIn(Throwable failure, Class<? extends Throwable> type) {
        return chain(failure).stream().anyMatch(type::isInstance);
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
