package useranalytics.connect;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The counters of one task, under {@code useranalytics.connect:type=dead-letter-sink} in JMX. */
public final class SinkMetrics implements SinkMetricsMXBean {
    private static final Logger LOG = LoggerFactory.getLogger(SinkMetrics.class);
    private static final AtomicInteger INSTANCES = new AtomicInteger();

    private final AtomicLong written = new AtomicLong();
    private final Map<String, Long> deadLettered = new ConcurrentSkipListMap<>();
    private final AtomicLong retried = new AtomicLong();
    private final AtomicLong isolationMillis = new AtomicLong();
    private ObjectName name;

    private SinkMetrics() {}

    static SinkMetrics register(String connector) {
        SinkMetrics metrics = new SinkMetrics();
        try {
            // A task does not learn its number, hence one of our own.
            metrics.name = new ObjectName("useranalytics.connect:type=dead-letter-sink,connector="
                    + ObjectName.quote(connector) + ",instance=" + INSTANCES.incrementAndGet());
            ManagementFactory.getPlatformMBeanServer().registerMBean(metrics, metrics.name);
        } catch (JMException error) {
            LOG.warn("No metrics for connector {}: {}", connector, error.toString());
        }
        return metrics;
    }

    void unregister() {
        try {
            ManagementFactory.getPlatformMBeanServer().unregisterMBean(name);
        } catch (JMException error) {
            LOG.debug("The metrics were not registered", error);
        }
    }

    void wrote(int records) {
        written.addAndGet(records);
    }

    void deadLettered(String sqlState) {
        deadLettered.merge(sqlState, 1L, Long::sum);
    }

    void retried() {
        retried.incrementAndGet();
    }

    void isolated(long millisInAll) {
        isolationMillis.set(millisInAll);
    }

    @Override
    public long getWritten() {
        return written.get();
    }

    @Override
    public Map<String, Long> getDeadLetteredBySqlState() {
        return new TreeMap<>(deadLettered);
    }

    @Override
    public long getRetried() {
        return retried.get();
    }

    @Override
    public long getIsolationMillis() {
        return isolationMillis.get();
    }
}
