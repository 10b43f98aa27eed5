package useranalytics.connect;

import org.apache.kafka.connect.sink.SinkRecord;

/** Where a record stands in Kafka, whatever transformations made of it. */
record Coordinates(String topic, int partition, long offset) {
    static Coordinates of(SinkRecord record) {
        return new Coordinates(record.originalTopic(), record.originalKafkaPartition(), record.originalKafkaOffset());
    }

    @Override
    public String toString() {
        return topic + "-" + partition + "@" + offset;
    }
}
