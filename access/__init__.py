"""What servers ask of a client: addresses, TLS, SASL, credentials; the same settings for every process of ours."""
