package useranalytics.copy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import useranalytics.connection.DatabaseConnection;

/** The task's one connection, opened when first needed. After a failure the whole task is started anew. */
final class Database {
    private static final Logger LOG = LoggerFactory.getLogger(Database.class);

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
            connection = DatabaseConnection.open(url, properties);
        }
        return connection;
    }

    void commit(Transaction transaction) throws SQLException {
        Connection connection = connection();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            transaction.write(statement);
            connection.commit();
        } catch (SQLException | RuntimeException error) {
            connection.rollback();
            throw error;
        } finally {
            connection.setAutoCommit(true);
        }
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
}
