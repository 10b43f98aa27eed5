-- One row: the latest profile of a user.
CREATE TABLE IF NOT EXISTS users (
    user_id text PRIMARY KEY CHECK (user_id <> ''),
    email text NOT NULL CHECK (email LIKE '%_@_%'),
    first_name text NOT NULL,
    last_name text NOT NULL,
    country text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    is_active boolean NOT NULL,
    signup_date date NOT NULL
);
