"""Real Kafka and PostgreSQL on one machine, without Docker: see `engine.local`."""
