package useranalytics.connect;

import java.util.Map;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * What Kafka says of a task's dead letters, those of its converters included.
 *
 * <p>Connect gives a sink task the outcome of letters that the task reports. Of a record that a converter or a
 * transformation refuses, it only logs that its letter was not written, and commits the offset all the same.
 *
 * <p>Set as {@code producer.override.interceptor.classes}. Each task has a producer of its own, which nobody else uses.
 */
public final class LetterReceipts implements ProducerInterceptor<byte[], byte[]> {
    /** Those of the task whose thread this is: Connect converts, reports and commits in one thread. */
    private static final ThreadLocal<LetterReceipts> OF_TASK = new ThreadLocal<>();

    private int awaited;
    private Exception refusal;

    /** Begin a task in this thread, which may have been another one's. */
    static void begin() {
        OF_TASK.remove();
    }

    /** Wait for all letters of the calling task; return why Kafka did not take one of them, or null. */
    static Exception await() throws InterruptedException {
        LetterReceipts receipts = OF_TASK.get();
        return receipts == null ? null : receipts.awaitAll();
    }

    @Override
    public synchronized ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> letter) {
        OF_TASK.set(this);
        awaited++;
        return letter;
    }

    @Override
    public synchronized void onAcknowledgement(RecordMetadata metadata, Exception exception) {
        awaited--;
        if (exception != null) {
            refusal = exception;
        }
        notifyAll();
    }

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public void close() {}

    private synchronized Exception awaitAll() throws InterruptedException {
        while (awaited > 0) {
            wait();
        }
        Exception last = refusal;
        refusal = null;
        return last;
    }
}
