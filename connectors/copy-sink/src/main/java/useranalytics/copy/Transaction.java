package useranalytics.copy;

import java.sql.SQLException;
import java.sql.Statement;

/** What is written as a whole or not at all. */
@FunctionalInterface
interface Transaction {
    void write(Statement statement) throws SQLException;
}
