"""Event models, generators and the Avro publisher."""
