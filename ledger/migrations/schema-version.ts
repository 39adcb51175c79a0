/** The schema this code was written for: the number of the last migration. Apart from them, so that reading it costs nothing. */
export const SCHEMA_VERSION = 1n;
