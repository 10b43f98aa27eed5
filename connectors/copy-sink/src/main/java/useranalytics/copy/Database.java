package useranalytics.copy;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.Properties;
import java.util.ServiceLoader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The task's one connection, opened when first needed. After a failure the whole task is started anew. */
final class Database {
    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final String NOT_CONNECTED = "08001";

    private final String url;
    private final Properties properties = new Properties();
    private Connection connection;
    private int number;

    Database(CopySinkConfig config) {
        url = config.url();
        properties.setProperty("user", config.user());
        properties.setProperty("password", config.password());
        properties.setProperty("connectTimeout", "10");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "copy-sink");
    }

    Connection connection() throws SQLException {
        if (connection == null) {
            connection = connect();
        }
        return connection;
    }

    /** Return another number each time. */
    int nextNumber() {
        return ++number;
    }

    void close() {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException error) {
                LOG.warn("The connection did not close cleanly: {}", error.toString());
            }
        }
    }

    private Connection connect() throws SQLException {
        // DriverManager knows no driver of a plugin's class loader.
        for (Driver driver : ServiceLoader.load(Driver.class, Database.class.getClassLoader())) {
            if (driver.acceptsURL(url)) {
                return connect(driver);
            }
        }
        throw new SQLException("no JDBC driver for this connection.url in the plugin directory", NOT_CONNECTED);
    }

    /** Connect; throws SQLState 08001 whatever the reason, which may be that of a record or a declaration elsewhere. */
    private Connection connect(Driver driver) throws SQLException {
        try {
            return driver.connect(url, properties);
        } catch (SQLException error) {
            throw new SQLException("no connection: " + error.getMessage(), NOT_CONNECTED, error);
        }
    }
}
