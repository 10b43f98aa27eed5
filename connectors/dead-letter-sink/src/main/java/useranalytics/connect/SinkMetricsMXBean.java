package useranalytics.connect;

import java.util.Map;

/** What a task did since it started. */
public interface SinkMetricsMXBean {
    long getWritten();

    Map<String, Long> getDeadLetteredBySqlState();

    long getRetried();

    long getIsolationMillis();
}
