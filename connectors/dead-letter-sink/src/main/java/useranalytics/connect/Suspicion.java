package useranalytics.connect;

import java.util.Set;

/** What a probe found: why a record is refused, and whether the delegate cannot but find the same. */
record Suspicion(RefusedRecordException reason, boolean certain) {
    /** SQLStates that depend on the text in which a value is sent, which may be another one than the delegate's. */
    static final Set<String> ABOUT_TEXT = Set.of("22P02", "22P03", "22007", "22008", "22009", "22023");
}
