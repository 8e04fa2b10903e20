-- Whether there is a role of that name, where pg_stat_statements is, and which major this is.
SELECT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = %(role)s),
       (SELECT n.nspname FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
         WHERE e.extname = 'pg_stat_statements')
