-- What has to be known of a server before it is trusted with jobs. Reads every setting that it names, and no table.
SELECT current_setting('server_version_num')::bigint, current_setting('server_version'),
    current_setting('server_encoding'), pg_catalog.pg_is_in_recovery(),
    current_setting('transaction_read_only')::boolean, current_setting('default_transaction_isolation'),
    current_setting('search_path'), current_user::text, pg_catalog.current_database()::text
