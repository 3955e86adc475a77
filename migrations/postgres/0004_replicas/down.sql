DROP TABLE invalidations;
DROP TABLE replicas;
