package useranalytics.connect;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Rows for one table with the same columns. */
record ProbedRows(String table, RowText text, List<ProbedRow> rows) {
    ProbedRows(String table, RowText text) {
        this(table, text, new ArrayList<>());
    }

    /** Return the columns' names as the database has them, quoted, given those by lower-case name. */
    List<String> quotedColumns(Map<String, String> columns) {
        return text.names().stream().map(name -> TargetTable.quoted(columns.get(name))).toList();
    }
}
