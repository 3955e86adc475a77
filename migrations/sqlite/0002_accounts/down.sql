DROP TABLE rate_windows;
DROP TABLE brakes;
DROP TABLE sessions;
DROP TABLE accounts;
