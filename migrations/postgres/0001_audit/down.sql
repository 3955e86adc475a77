DROP TABLE audit_head;
DROP TABLE audit_records;
DROP FUNCTION refuse_audit_change;
