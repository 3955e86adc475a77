DROP INDEX components_hostname;
DROP TABLE enrollment_requests;
DROP TABLE enrollments;
DROP TABLE enrollment_tokens;
