CREATE SCHEMA IF NOT EXISTS bounty_ops;

CREATE OR REPLACE FUNCTION bounty_ops.column_statistics()
RETURNS TABLE (schemaname name, tablename name, attname name, inherited boolean,
               avg_width integer, null_frac real, n_distinct real, moments double precision[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT s.schemaname, s.tablename, s.attname, s.inherited, s.avg_width, s.null_frac,
           s.n_distinct,
           CASE WHEN a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
                THEN ARRAY(SELECT CASE WHEN bound ~ '^([0-9]{5,}-.*|infinity)$' THEN 'infinity'
                                       WHEN bound ~ '( BC|^-infinity)$' THEN '-infinity'
                                       WHEN bound ~ '^[0-9]{4}-'
                                       THEN extract(epoch FROM bound::timestamptz)
                                  END::double precision
                             FROM unnest(coalesce(s.histogram_bounds::text::text[], '{}')
                                      || coalesce(s.most_common_vals::text::text[], '{}')) AS bound)
           END
      FROM pg_stats AS s
      JOIN pg_class AS c ON c.relname = s.tablename
      JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = s.schemaname
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
     WHERE s.schemaname NOT IN ('pg_catalog', 'information_schema')
$$;

REVOKE ALL ON FUNCTION bounty_ops.column_statistics() FROM PUBLIC;
