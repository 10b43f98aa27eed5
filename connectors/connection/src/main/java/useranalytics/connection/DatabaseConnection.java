package useranalytics.connection;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.Properties;
import java.util.ServiceLoader;

/** Connections to a database, by the drivers in the plugin's directory. */
public final class DatabaseConnection {
    private static final String NOT_CONNECTED = "08001";

    private DatabaseConnection() {
    }

    /** Connect; throws SQLState 08001 whatever the reason, which may be that of a record or a declaration elsewhere. */
    public static Connection open(String url, Properties properties) throws SQLException {
        // DriverManager knows no driver of a plugin's class loader.
        for (Driver driver : ServiceLoader.load(Driver.class, DatabaseConnection.class.getClassLoader())) {
            if (driver.acceptsURL(url)) {
                return open(driver, url, properties);
            }
        }
        throw new SQLException("no JDBC driver for this connection.url in the plugin directory", NOT_CONNECTED);
    }

    private static Connection open(Driver driver, String url, Properties properties) throws SQLException {
        try {
            return driver.connect(url, properties);
        } catch (SQLException error) {
            throw new SQLException("no connection: " + error.getMessage(), NOT_CONNECTED, error);
        }
    }
}
